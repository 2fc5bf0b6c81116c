/* Time from a function's entry to its return. */
#include "bcctool.bpf.h"
#include "call.bpf.h"
#include "hist.bpf.h"
#include "site.bpf.h"
#include "funclatency.h"

const volatile struct funclatency_conf conf;
CALLS(u64, 65536);
TABLE(hists, struct funclatency_key, struct funclatency_value, 4096);

/* -l: where the calls in flight on a stack are, the outermost first. */
struct nest {
	u32 n;
	u64 place[CALL_LEVELS];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct nest);
} nests SEC(".maps");

static const struct nest no_nest;

static __always_inline struct nest *nest_of(const struct call_key *key)
{
	u64 stack = key->owner;
	struct nest *nest;

	/* A thread is on the stacks of interrupts too: of 16 KB, below their upper ends. */
	if (key->owner == current_tid() && (s64)key->place > 0)
		stack += key->place >> 14 << 22;
	nest = bpf_map_lookup_elem(&nests, &stack);
	if (nest)
		return nest;
	bpf_map_update_elem(&nests, &stack, &no_nest, BPF_NOEXIST);
	return bpf_map_lookup_elem(&nests, &stack);
}

/* Takes out what is not around `place`: calls that have returned, or must have. */
static __always_inline void leave_inner(struct nest *nest, u64 place)
{
	for (int i = 0; i < CALL_LEVELS && nest->n; i++) {
		if (nest->place[(nest->n - 1) % CALL_LEVELS] < place)
			return;
		nest->n--;
	}
}

static __always_inline bool too_deep(const struct call_key *key)
{
	struct nest *nest = nest_of(key);

	if (!nest)
		return false;
	leave_inner(nest, key->place);
	if (nest->n >= conf.levels)
		return true;
	nest->place[nest->n++ % CALL_LEVELS] = key->place;
	return false;
}

static __always_inline int enter(struct pt_regs *ctx, u32 number)
{
	struct call_key key;
	u64 now;

	if (!wanted())
		return 0;
	key = call_of(ctx, number);
	if (conf.levels && too_deep(&key))
		return 0;
	now = bpf_ktime_get_ns();
	call_begin(&key, &now, number);
	return 0;
}

static __always_inline bool is_user(struct pt_regs *ctx)
{
	return (s64)PT_REGS_IP(ctx) >= 0;
}

static __always_inline int leave(struct pt_regs *ctx, u32 number)
{
	struct call_key call = call_of(ctx, number);
	struct funclatency_key key = {};
	struct funclatency_value *value;
	u64 start, ns;

	if (!call_end(&call, &start))
		return 0;
	if (conf.levels) {
		struct nest *nest = nest_of(&call);

		if (nest)
			leave_inner(nest, call.place);
	}
	if (!elapsed(start, &ns))
		return 0;
	if (conf.by_function)
		key.func = call.func;
	if (conf.by_process || (conf.by_function && is_user(ctx)))
		key.pid = current_pid();
	value = hists_at(&key);
	if (value) {
		hist_add(&value->hist, ns / conf.unit_ns);
		__sync_fetch_and_add(&value->total_ns, ns);
	}
	return 0;
}

static __always_inline int measure(void *ctx, u32 number)
{
	return number & CALL_RETURN ? leave(ctx, number) : enter(ctx, number);
}

SITES(measure)
