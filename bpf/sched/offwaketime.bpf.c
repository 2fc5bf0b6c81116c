/*
 * Time off the CPU by the stacks of the thread that was off it and of the one that woke it. The
 * waker is the current task at sched_waking; at sched_wakeup it may be a task of the CPU that the
 * thread is woken on, which has nothing to do with it.
 */
#include "bcctool.bpf.h"
#include "blocked.bpf.h"
#include "offcputime.h"

struct waker {
	u64 kernel, user;
	u32 pid, tid;
	char comm[COMM_LEN];
};

HASH(wakers, u32, struct waker, 65536); /* by the thread that was woken */
TABLE(counts, struct offwaketime_key, struct offcputime_value, 16384);

static __always_inline int wake(void *ctx, struct task_struct *task, bool typed)
{
	struct task_struct *self = (void *)bpf_get_current_task();
	u32 tid = FIELD(typed, task, pid);
	struct blocked *b = bpf_map_lookup_elem(&blocked, &tid);
	struct waker waker = {};
	struct ids ids;

	if (!b || !b->asleep)
		return 0;
	ids = current_ids();
	waker.pid = ids.pid;
	waker.tid = ids.tid;
	current_comm(waker.comm);
	if (conf.kernel_stacks)
		waker.kernel = stack_kernel(ctx);
	if (conf.user_stacks)
		waker.user = stack_user(ctx, BPF_CORE_READ(self, flags), ids.pid);
	begin(&wakers, &tid, &waker);
	return 0;
}

static __always_inline void back(u64 now, struct task_struct *task, bool typed)
{
	u32 tid = FIELD(typed, task, pid);
	struct offwaketime_key key = {};
	struct offcputime_value *off;
	struct waker *waker;
	struct blocked b;
	struct ids ids;
	u64 ns;

	if (was_blocked(now, tid, &b, &ns)) {
		ids = ids_of(task, FIELD(typed, task, tgid), tid);
		key.t_kernel = b.kernel;
		key.t_user = b.user;
		key.t_pid = ids.pid;
		key.t_tid = ids.tid;
		COMM_OF(key.target, task);
		waker = bpf_map_lookup_elem(&wakers, &tid);
		if (waker) {
			key.w_kernel = waker->kernel;
			key.w_user = waker->user;
			key.w_pid = waker->pid;
			key.w_tid = waker->tid;
			__builtin_memcpy(key.waker, waker->comm, sizeof(key.waker));
		}
		off = counts_at(&key);
		if (off) {
			__sync_fetch_and_add(&off->ns, ns);
			__sync_fetch_and_add(&off->count, 1);
		}
	}
	unblock(tid);
	bpf_map_delete_elem(&wakers, &tid);
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
