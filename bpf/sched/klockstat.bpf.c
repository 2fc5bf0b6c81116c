/* Waiting for locks and holding them, by the stack that asked. */
#include "bcctool.bpf.h"
#include "stack.bpf.h"
#include "klockstat.h"

const volatile struct klockstat_conf conf;
TABLE(counts, struct klockstat_key, struct klockstat_value, 16384);

static __always_inline bool klock_wanted(u64 lock)
{
	return !conf.lock || conf.lock == lock;
}

static __always_inline u64 klock_note(void *ctx)
{
	return stack_kernel(ctx);
}

static __always_inline struct klockstat_value *value_of(u64 stack)
{
	struct klockstat_key key = { .kernel = stack };
	struct ids ids;

	if (conf.by_thread) {
		ids = current_ids();
		key.pid = ids.pid;
		key.tid = ids.tid;
		current_comm(key.comm);
	}
	return counts_at(&key);
}

static __always_inline void raise(u64 *max, u64 ns)
{
	for (int i = 0; i < 8; i++) { /* others do so, too */
		u64 old = *max;

		if (ns <= old || __sync_val_compare_and_swap(max, old, ns) == old)
			return;
	}
}

static __always_inline void klock_got(void *ctx, u64 lock, u64 stack, u64 ns)
{
	struct klockstat_value *v = value_of(stack);

	if (!v)
		return;
	__sync_fetch_and_add(&v->acq_count, 1);
	__sync_fetch_and_add(&v->acq_total_ns, ns);
	raise(&v->acq_max_ns, ns);
}

static __always_inline void klock_freed(void *ctx, u64 lock, u64 stack, u64 ns)
{
	struct klockstat_value *v = value_of(stack);

	if (!v)
		return;
	__sync_fetch_and_add(&v->hld_count, 1);
	__sync_fetch_and_add(&v->hld_total_ns, ns);
	raise(&v->hld_max_ns, ns);
}

#include "klock.bpf.h"

KLOCK_MUTEXES
KLOCK_SEMAPHORES
