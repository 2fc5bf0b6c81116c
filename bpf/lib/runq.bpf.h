/*
 * Waiting for a CPU: a task is put into the map `queued` when it becomes runnable (woken, or
 * switched out while runnable) and taken out when it is switched in.
 */
#ifndef RUNQ_BPF_H
#define RUNQ_BPF_H

#include "state.bpf.h"

HASH(queued, u32, u64, 65536);

static __always_inline void runq_enter(struct task_struct *task, bool typed)
{
	u32 tid = FIELD(typed, task, pid);
	u64 now = bpf_ktime_get_ns();

	if (tid && wanted_task(task, typed)) /* tid 0: the idle tasks, one a CPU */
		begin(&queued, &tid, &now);
}

/* How long the task that is switched in waited; false if it was not seen to become runnable. */
static __always_inline bool runq_leave(struct task_struct *task, bool typed, u64 *ns)
{
	u32 tid = FIELD(typed, task, pid);
	u64 *since = bpf_map_lookup_elem(&queued, &tid);
	bool ok = since && elapsed(*since, ns);

	if (since)
		bpf_map_delete_elem(&queued, &tid);
	return ok;
}

/*
 * A task is switched out. One that was about to sleep when it was preempted is still queued,
 * whatever its state; a dead one leaves no start behind: a running task can have been woken.
 */
static __always_inline void runq_switch_out(struct task_struct *task, bool preempted, bool typed)
{
	u32 state = task_state(task, typed), tid;

	if (preempted || !state) {
		runq_enter(task, typed);
	} else if (state & TASK_DEAD) {
		tid = FIELD(typed, task, pid);
		bpf_map_delete_elem(&queued, &tid);
	}
}

/*
 * QUEUED(ran): the programs that keep `queued`, and call ran(ctx, prev, next, typed) when `next` is
 * switched in: runq_leave() tells how long it waited.
 */
#define QUEUED(ran)                                                                                \
	SEC("tp_btf/sched_wakeup")                                                                 \
	int BPF_PROG(wakeup, struct task_struct *task)                                             \
	{                                                                                          \
		runq_enter(task, true);                                                            \
		return 0;                                                                          \
	}                                                                                          \
	SEC("tp_btf/sched_wakeup_new")                                                             \
	int BPF_PROG(wakeup_new, struct task_struct *task)                                         \
	{                                                                                          \
		runq_enter(task, true);                                                            \
		return 0;                                                                          \
	}                                                                                          \
	SEC("tp_btf/sched_switch")                                                                 \
	int BPF_PROG(switched, bool preempt, struct task_struct *prev, struct task_struct *next)   \
	{                                                                                          \
		runq_switch_out(prev, preempt, true);                                              \
		ran(ctx, prev, next, true);                                                        \
		return 0;                                                                          \
	}                                                                                          \
	SEC("raw_tp/sched_wakeup")                                                                 \
	int BPF_PROG(wakeup_raw, struct task_struct *task)                                         \
	{                                                                                          \
		runq_enter(task, false);                                                           \
		return 0;                                                                          \
	}                                                                                          \
	SEC("raw_tp/sched_wakeup_new")                                                             \
	int BPF_PROG(wakeup_new_raw, struct task_struct *task)                                     \
	{                                                                                          \
		runq_enter(task, false);                                                           \
		return 0;                                                                          \
	}                                                                                          \
	SEC("raw_tp/sched_switch")                                                                 \
	int BPF_PROG(switched_raw, bool preempt, struct task_struct *prev,                         \
		     struct task_struct *next)                                                     \
	{                                                                                          \
		runq_switch_out(prev, preempt, false);                                             \
		ran(ctx, prev, next, false);                                                       \
		return 0;                                                                          \
	}

#endif
