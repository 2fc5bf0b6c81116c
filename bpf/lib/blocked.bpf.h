/*
 * Threads off the CPU: from being switched out, for whatever reason. Stacks are those of the switch
 * out: the thread that blocks is the current one then, and it blocks there until it is back.
 */
#ifndef BLOCKED_BPF_H
#define BLOCKED_BPF_H

#include "stack.bpf.h"
#include "state.bpf.h"
#include "blocked.h"

struct blocked {
	u64 since, kernel, user;
	u64 asleep; /* not preempted: it waits to be woken */
};

const volatile struct blocked_conf conf;
HASH(blocked, u32, struct blocked, 65536);

/* One that is preempted can run, though it may have been about to sleep. */
static __always_inline bool wanted_state(u32 state, bool preempted)
{
	if (preempted)
		state = 0;
	if (state & TASK_DEAD) /* it never comes back */
		return false;
	return !conf.by_state || (conf.state ? state & conf.state : !state);
}

static __always_inline void block(void *ctx, u64 now, struct task_struct *task, u32 state,
				  bool preempted, bool typed)
{
	u32 tid = FIELD(typed, task, pid), flags = FIELD(typed, task, flags);
	struct blocked b = { .since = now, .asleep = state && !preempted };

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

/* What is known of a thread that blocks no longer, and for how long it did; false if that is not
 * wanted. Forget it then: unblock(). */
static __always_inline bool was_blocked(u64 now, u32 tid, struct blocked *b, u64 *ns)
{
	struct blocked *known = bpf_map_lookup_elem(&blocked, &tid);

	if (!known)
		return false;
	*b = *known;
	return between(b->since, now, ns) && *ns / 1000 >= conf.min_us && *ns / 1000 <= conf.max_us;
}

static __always_inline void unblock(u32 tid)
{
	bpf_map_delete_elem(&blocked, &tid);
}

/*
 * SWITCHES(back): programs that call back(now, next, typed) for the thread that is back, then
 * block() for the one that leaves. 5.18+ tells the state that it decided by; in the task itself, a
 * waker may have changed it. There is one time for both, so that our own does not count.
 */
#define SWITCHES(back)                                                                             \
	SEC("tp_btf/sched_switch")                                                                 \
	int BPF_PROG(switched_state, bool preempt, struct task_struct *prev,                       \
		     struct task_struct *next, unsigned int state)                                 \
	{                                                                                          \
		u64 now = bpf_ktime_get_ns();                                                      \
                                                                                                   \
		back(now, next, true);                                                             \
		block(ctx, now, prev, state, preempt, true);                                       \
		return 0;                                                                          \
	}                                                                                          \
	SEC("tp_btf/sched_switch")                                                                 \
	int BPF_PROG(switched, bool preempt, struct task_struct *prev, struct task_struct *next)   \
	{                                                                                          \
		u64 now = bpf_ktime_get_ns();                                                      \
                                                                                                   \
		back(now, next, true);                                                             \
		block(ctx, now, prev, task_state(prev, true), preempt, true);                      \
		return 0;                                                                          \
	}                                                                                          \
	SEC("raw_tp/sched_switch")                                                                 \
	int BPF_PROG(switched_raw, bool preempt, struct task_struct *prev,                         \
		     struct task_struct *next)                                                     \
	{                                                                                          \
		u64 now = bpf_ktime_get_ns();                                                      \
                                                                                                   \
		back(now, next, false);                                                            \
		block(ctx, now, prev, task_state(prev, false), preempt, false);                    \
		return 0;                                                                          \
	}

#endif
