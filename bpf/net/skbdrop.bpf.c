/*
 * Socket buffers that are freed since their packet is dropped, not since it has arrived: for those
 * there is consume_skb.
 */
#include "bcctool.bpf.h"
#include "stack.bpf.h"
#include "skbdrop.h"

const volatile struct skbdrop_conf conf;
TABLE(counts, struct skbdrop_key, u64, 16384);

/* (skb, location, reason), before 5.17 without the last. */
static __always_inline int count(u64 *ctx)
{
	struct skbdrop_key key = {};
	u64 *n;

	if (!wanted())
		return 0;
	key.kernel = stack_kernel(ctx);
	if (conf.reasons)
		key.reason = argument(ctx, 2);
	n = counts_at(&key);
	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}

SEC("tp_btf/kfree_skb")
int dropped(u64 *ctx)
{
	return count(ctx);
}

SEC("raw_tp/kfree_skb")
int dropped_raw(u64 *ctx)
{
	return count(ctx);
}
