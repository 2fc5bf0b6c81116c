/* Time from becoming runnable (wakeup, or preemption) to being switched in. */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "runq.bpf.h"
#include "runqlat.h"

const volatile struct runqlat_conf conf;
TABLE(hists, struct runqlat_key, struct bcc_hist, 10240);

/* The namespace it is in: that of its children may be another, and none while it exits. */
static __always_inline u32 pidns_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct upid up = {};

	bpf_core_read(&up, sizeof(up), &pid->numbers[level]);
	return BPF_CORE_READ(up.ns, ns.inum);
}

static __always_inline void measure(void *ctx, struct task_struct *prev, struct task_struct *task,
				    bool typed)
{
	struct runqlat_key key = {};
	struct bcc_hist *hist;
	struct ids ids;
	u64 ns;

	if (!runq_leave(task, typed, &ns))
		return;
	ids = ids_of(task, FIELD(typed, task, tgid), FIELD(typed, task, pid));
	if (conf.by_pid)
		key.pid = ids.pid;
	if (conf.by_tid)
		key.tid = ids.tid;
	if (conf.by_pidns)
		key.pidns = pidns_of(task);
	hist = hists_at(&key);
	if (hist)
		hist_add(hist, ns / (conf.ms ? 1000000 : 1000));
}

QUEUED(measure)
