/*
 * From being switched out to being woken, by the stack of the waker: the current task at
 * sched_waking. What is preempted was not asleep, and nobody wakes it.
 */
#include "bcctool.bpf.h"
#include "blocked.bpf.h"
#include "offcputime.h"

TABLE(counts, struct wakeuptime_key, struct offcputime_value, 16384);

static __always_inline int wake(void *ctx, struct task_struct *task, bool typed)
{
	u32 tid = FIELD(typed, task, pid);
	struct wakeuptime_key key = {};
	struct offcputime_value *off;
	struct blocked b;
	u64 ns;

	if (!was_blocked(bpf_ktime_get_ns(), tid, &b, &ns) || !b.asleep) {
		unblock(tid);
		return 0;
	}
	key.w_kernel = stack_kernel(ctx);
	key.w_pid = current_pid();
	key.t_pid = ids_of(task, FIELD(typed, task, tgid), tid).pid;
	current_comm(key.waker);
	COMM_OF(key.target, task);
	off = counts_at(&key);
	if (off) {
		__sync_fetch_and_add(&off->ns, ns);
		__sync_fetch_and_add(&off->count, 1);
	}
	unblock(tid);
	return 0;
}

/* Back without having been woken: it was preempted, or ran on before it slept. */
static __always_inline void back(u64 now, struct task_struct *task, bool typed)
{
	(void)now;
	unblock(FIELD(typed, task, pid));
}

SWITCHES(back)

SEC("tp_btf/sched_waking")
int BPF_PROG(waking, struct task_struct *task)
{
	return wake(ctx, task, true);
}

SEC("raw_tp/sched_waking")
int BPF_PROG(waking_raw, struct task_struct *task)
{
	return wake(ctx, task, false);
}
