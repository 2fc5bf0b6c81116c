/*
 * Waiting for a lock of user space: from the call of futex(2) until it returns, where it returns
 * because another thread gave the lock back. Not until the lock was taken: a thread may be too late
 * and wait again.
 */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "stack.bpf.h"
#include "syscall.bpf.h"
#include "futexctn.h"

/* include/uapi/linux/futex.h */
#define FUTEX_WAIT     0
#define FUTEX_LOCK_PI  6
#define FUTEX_LOCK_PI2 13
#define FUTEX_CMD_MASK 0x7f

struct wait {
	u64 since, lock;
};

const volatile struct futexctn_conf conf;
HASH(waits, u32, struct wait, 10240);
TABLE(hists, struct futexctn_key, struct futexctn_value, 8192);

static __always_inline int enter(u64 lock, u32 op)
{
	struct wait w = { .lock = lock };
	u32 tid = current_tid();

	op &= FUTEX_CMD_MASK;
	if (op != FUTEX_WAIT && op != FUTEX_LOCK_PI && op != FUTEX_LOCK_PI2)
		return 0;
	if ((conf.lock && conf.lock != lock) || !wanted())
		return 0;
	w.since = bpf_ktime_get_ns();
	begin(&waits, &tid, &w);
	return 0;
}

static __always_inline void add(struct futexctn_value *v, u64 ns)
{
	hist_add(&v->hist, conf.ms ? ns / 1000000 : ns / 1000);
	v->total_ns += ns; /* only this thread counts here */
	if (ns > v->max_ns)
		v->max_ns = ns;
	if (ns < v->min_ns || !v->min_ns)
		v->min_ns = ns;
}

static __always_inline void waited(void *ctx, const struct wait *w)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct futexctn_key key = { .lock = w->lock };
	struct ids ids = current_ids();
	struct futexctn_value *v;
	u64 ns;

	if (!elapsed(w->since, &ns))
		return;
	key.pid = ids.pid;
	key.tid = ids.tid;
	current_comm(key.comm);
	if (!conf.summary)
		key.user = stack_user(ctx, BPF_CORE_READ(task, flags), ids.pid);
	v = hists_at(&key);
	if (v)
		add(v, ns);
}

/* An error is a lock that was free again, a signal, or that the time was over. */
static __always_inline int leave(void *ctx, long ret)
{
	u32 tid = current_tid();
	struct wait *found = bpf_map_lookup_elem(&waits, &tid), w;

	if (!found)
		return 0;
	w = *found;
	bpf_map_delete_elem(&waits, &tid);
	if (!ret)
		waited(ctx, &w);
	return 0;
}

SYSCALL(futex, enter(arg(0), arg(1)))
