/* Threads that waited long from becoming runnable (wakeup, or preemption) to being switched in. */
#include "bcctool.bpf.h"
#include "runq.bpf.h"
#include "runqslower.h"

const volatile struct runqslower_conf conf;
EVENTS;

static __always_inline int on_switch(void *ctx, bool preempt, struct task_struct *prev,
				     struct task_struct *next, bool typed)
{
	struct runqslower_event e = {};
	struct ids ids;

	runq_switch_out(prev, preempt, typed);
	if (!runq_leave(next, typed, &e.lat_ns) || e.lat_ns <= conf.min_ns)
		return 0;
	e.time = bpf_ktime_get_ns();
	ids = ids_of(next, FIELD(typed, next, tgid), FIELD(typed, next, pid));
	e.pid = ids.pid;
	e.tid = ids.tid;
	COMM_OF(e.comm, next);
	ids = ids_of(prev, FIELD(typed, prev, tgid), FIELD(typed, prev, pid));
	e.prev_pid = ids.pid;
	e.prev_tid = ids.tid;
	COMM_OF(e.prev_comm, prev);
	emit(ctx, &e, sizeof(e));
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(wakeup, struct task_struct *task)
{
	runq_enter(task, true);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(wakeup_new, struct task_struct *task)
{
	runq_enter(task, true);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switched, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return on_switch(ctx, preempt, prev, next, true);
}

SEC("raw_tp/sched_wakeup")
int BPF_PROG(wakeup_raw, struct task_struct *task)
{
	runq_enter(task, false);
	return 0;
}

SEC("raw_tp/sched_wakeup_new")
int BPF_PROG(wakeup_new_raw, struct task_struct *task)
{
	runq_enter(task, false);
	return 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(switched_raw, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return on_switch(ctx, preempt, prev, next, false);
}
