/* Mutexes of pthreads, by lock: how long it took to get one, or for how long it was held. */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "site.bpf.h"
#include "stack.bpf.h"
#include "pmlock.h"

const volatile struct pmlock_conf conf;

struct call {
	u64 lock, start;
};

struct held {
	u64 lock;
	u32 tid, unused;
};

HASH(calls, u32, struct call, 10240);
HASH(held, struct held, u64, 65536);
TABLE(hists, struct pmlock_key, struct bcc_hist, 8192);

static __always_inline void add(struct pt_regs *ctx, u64 lock, u64 ns, bool at_entry)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pmlock_key key = { .lock = lock, .pid = current_pid() };
	u32 flags = BPF_CORE_READ(task, flags);
	struct bcc_hist *hist;

	key.user =
		at_entry ? stack_user_entry(ctx, flags, key.pid) : stack_user(ctx, flags, key.pid);
	current_comm(key.comm);
	hist = hists_at(&key);
	if (hist)
		hist_add(hist, ns);
}

static __always_inline void ask(u64 lock)
{
	struct call call = { lock, bpf_ktime_get_ns() };
	u32 tid = current_tid();

	begin(&calls, &tid, &call);
}

static __always_inline void hold(u64 lock)
{
	struct held at = { lock, current_tid() };
	u64 now = bpf_ktime_get_ns();

	begin(&held, &at, &now);
}

static __always_inline void release(struct pt_regs *ctx, u64 lock)
{
	struct held at = { lock, current_tid() };
	u64 *since = bpf_map_lookup_elem(&held, &at), ns;

	if (!since)
		return;
	if (elapsed(*since, &ns))
		add(ctx, lock, ns, true);
	bpf_map_delete_elem(&held, &at);
}

static __always_inline void locked(struct pt_regs *ctx, bool got, bool waited)
{
	u32 tid = current_tid();
	struct call *begun = bpf_map_lookup_elem(&calls, &tid), call;
	u64 ns;

	if (!begun)
		return;
	call = *begun;
	bpf_map_delete_elem(&calls, &tid);
	if (got && conf.held)
		hold(call.lock);
	else if (got && !waited && elapsed(call.start, &ns))
		add(ctx, call.lock, ns, false);
}

static __always_inline int follow(struct pt_regs *ctx, u32 number)
{
	u64 first = PT_REGS_PARM1(ctx), second = PT_REGS_PARM2(ctx);

	barrier_var(first); /* each is loaded from one place, whatever it is used for */
	barrier_var(second);
	if (!wanted())
		return 0;
	switch (conf.kind[number & (PMLOCK_SITES - 1)]) {
	case PMLOCK_LOCK: ask(first); break;
	case PMLOCK_LOCKED: locked(ctx, !(int)PT_REGS_RC(ctx), false); break;
	case PMLOCK_UNLOCK: release(ctx, first); break;
	case PMLOCK_WAIT:
		release(ctx, second);
		ask(second);
		break;
	case PMLOCK_WAITED: locked(ctx, true, true); break;
	}
	return 0;
}

SITES(follow)
