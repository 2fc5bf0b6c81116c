/*
 * From being switched out, for whatever reason, to being switched in. Both stacks are those of the
 * switch out: the thread that blocks is the current one then, and it blocks there until it is back.
 */
#include "bcctool.bpf.h"
#include "stack.bpf.h"
#include "state.bpf.h"
#include "offcputime.h"

struct blocked {
	u64 since, kernel, user;
};

const volatile struct offcputime_conf conf;
HASH(blocked, u32, struct blocked, 65536);
TABLE(counts, struct offcputime_key, struct offcputime_value, 16384);

/* One that is preempted can run, though it may have been about to sleep. */
static __always_inline bool wanted_state(u32 state, bool preempted)
{
	if (preempted)
		state = 0;
	if (state & TASK_DEAD) /* it never comes back */
		return false;
	return !conf.by_state || (conf.state ? state & conf.state : !state);
}

static __always_inline void switch_out(void *ctx, u64 now, struct task_struct *task, u32 state,
				       bool preempted, bool typed)
{
	u32 tid = FIELD(typed, task, pid), flags = FIELD(typed, task, flags);
	struct blocked b = { .since = now };

	if (!tid || (conf.user_threads && flags & PF_KTHREAD) ||
	    (conf.kernel_threads && !(flags & PF_KTHREAD)))
		return;
	if (!wanted() || !wanted_state(state, preempted))
		return;
	if (conf.kernel_stacks)
		b.kernel = stack_kernel(ctx);
	if (conf.user_stacks)
		b.user = stack_user(ctx, flags, current_pid());
	begin(&blocked, &tid, &b);
}

static __always_inline void switch_in(u64 now, struct task_struct *task, bool typed)
{
	u32 tid = FIELD(typed, task, pid);
	struct blocked *b = bpf_map_lookup_elem(&blocked, &tid);
	struct offcputime_key key = {};
	struct offcputime_value *off;
	struct ids ids;
	u64 ns;

	if (!b)
		return;
	ns = now - b->since;
	if (now < b->since)
		lose(LOST_CLOCK);
	else if (ns / 1000 >= conf.min_us && ns / 1000 <= conf.max_us) {
		ids = ids_of(task, FIELD(typed, task, tgid), tid);
		key.kernel = b->kernel;
		key.user = b->user;
		key.pid = ids.pid;
		key.tid = ids.tid;
		BPF_CORE_READ_STR_INTO(&key.comm, task, comm);
		off = counts_at(&key);
		if (off) {
			__sync_fetch_and_add(&off->ns, ns);
			__sync_fetch_and_add(&off->count, 1);
		}
	}
	bpf_map_delete_elem(&blocked, &tid);
}

/* 5.18+ tells the state that prev decided by; in the task itself, a waker may have changed it. */
SEC("tp_btf/sched_switch")
int BPF_PROG(switched_state, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int state)
{
	u64 now = bpf_ktime_get_ns(); /* one for both, so that our own time does not count */

	switch_in(now, next, true);
	switch_out(ctx, now, prev, state, preempt, true);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switched, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 now = bpf_ktime_get_ns(); /* one for both, so that our own time does not count */

	switch_in(now, next, true);
	switch_out(ctx, now, prev, task_state(prev, true), preempt, true);
	return 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(switched_raw, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 now = bpf_ktime_get_ns(); /* one for both, so that our own time does not count */

	switch_in(now, next, false);
	switch_out(ctx, now, prev, task_state(prev, false), preempt, false);
	return 0;
}
