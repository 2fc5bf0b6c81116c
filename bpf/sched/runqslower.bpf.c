/* Threads that waited long from becoming runnable (wakeup, or preemption) to being switched in. */
#include "bcctool.bpf.h"
#include "runq.bpf.h"
#include "runqslower.h"

const volatile struct runqslower_conf conf;
EVENTS;

static __always_inline void report(void *ctx, struct task_struct *prev, struct task_struct *next,
				   bool typed)
{
	struct runqslower_event e = {};
	struct ids ids;

	if (!runq_leave(next, typed, &e.lat_ns) || e.lat_ns <= conf.min_ns)
		return;
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
}

QUEUED(report)
