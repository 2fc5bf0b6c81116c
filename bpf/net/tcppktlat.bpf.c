/* From the arrival of the first segment that is not read yet to its being read. */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "tcppktlat.h"

const volatile struct tcppktlat_conf conf;
HASH(arrivals, u64, u64, 65536);
EVENTS;

static __always_inline bool has_data(struct sk_buff *skb, bool typed)
{
	unsigned char *header = FIELD(typed, skb, data);
	u8 offset = 0; /* of the data, in words, in the upper half: RFC 9293 */

	bpf_probe_read_kernel(&offset, sizeof(offset), header + 12);
	return FIELD(typed, skb, len) > (offset >> 4) * 4u;
}

static __always_inline int arrive(struct sock *sk, struct sk_buff *skb, bool typed)
{
	u64 key = (u64)sk, now = bpf_ktime_get_ns();
	struct bcc_flow flow = {};

	if (!has_data(skb, typed) || bpf_map_lookup_elem(&arrivals, &key))
		return 0;
	flow_of(&flow, sk, typed);
	if (wanted_flow(&conf.flow, &flow))
		begin(&arrivals, &key, &now);
	return 0;
}

static __always_inline int take(void *ctx, struct sock *sk, bool typed)
{
	struct tcppktlat_event e = {};
	u64 key = (u64)sk, *arrival = bpf_map_lookup_elem(&arrivals, &key), since;

	if (!arrival)
		return 0;
	since = *arrival;
	bpf_map_delete_elem(&arrivals, &key);
	if (!elapsed(since, &e.lat_ns) || e.lat_ns < conf.min_ns || !wanted())
		return 0;
	flow_of(&e.flow, sk, typed);
	task_now(&e.task);
	emit(ctx, &e, sizeof(e));
	return 0;
}

static __always_inline int forget(struct sock *sk)
{
	u64 key = (u64)sk;

	bpf_map_delete_elem(&arrivals, &key);
	return 0;
}

SEC("tp_btf/tcp_probe")
int BPF_PROG(arrived, struct sock *sk, struct sk_buff *skb)
{
	return arrive(sk, skb, true);
}

SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(taken, struct sock *sk)
{
	return take(ctx, sk, true);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroyed, struct sock *sk)
{
	return forget(sk);
}

SEC("raw_tp/tcp_probe")
int BPF_PROG(arrived_raw, struct sock *sk, struct sk_buff *skb)
{
	return arrive(sk, skb, false);
}

SEC("raw_tp/tcp_rcv_space_adjust")
int BPF_PROG(taken_raw, struct sock *sk)
{
	return take(ctx, sk, false);
}

SEC("raw_tp/tcp_destroy_sock")
int BPF_PROG(destroyed_raw, struct sock *sk)
{
	return forget(sk);
}
