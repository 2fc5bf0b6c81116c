/*
 * A signal is reported when the call that sent it returns. The functions of the calls have their
 * arguments still; where they cannot be traced, these are kept from the entry.
 */
#include "bcctool.bpf.h"
#include "fd.bpf.h"
#include "syscall.bpf.h"
#include "killsnoop.h"

struct call {
	u32 call;
	s32 tpid, ttid, sig;
};

const volatile struct killsnoop_conf conf;
HASH(calls, u32, struct call, 10240);
EVENTS;

/*
 * What sigsnoop sees: signals where they are added to the target's, or are not. The kernel's own
 * have no siginfo but one of these (include/linux/sched/signal.h).
 */
#define SEND_SIG_NOINFO 0
#define SEND_SIG_PRIV   1
#define SI_KERNEL       0x80

static __always_inline bool asked_for(const struct call *call)
{
	u32 sig = call->sig;

	if (conf.tpid && call->tpid != (s32)conf.tpid)
		return false;
	if (!conf.any_signals)
		return true;
	return sig < 64 ? conf.signals >> sig & 1 : sig == 64 && conf.signal_64;
}

static __always_inline int report(void *ctx, const struct call *call, long ret)
{
	struct killsnoop_event e = {};

	if (conf.failed && ret >= 0)
		return 0;
	task_now(&e.task);
	e.call = call->call;
	e.tpid = call->tpid;
	e.ttid = call->ttid;
	e.sig = call->sig;
	e.result = ret;
	emit(ctx, &e, sizeof(e));
	return 0;
}

static __always_inline int done(void *ctx, u32 what, s32 tpid, s32 ttid, s32 sig, long ret)
{
	struct call call = { what, tpid, ttid, sig };

	return wanted() && asked_for(&call) ? report(ctx, &call, ret) : 0;
}

SYSCALL_RETURN(kill, done(ctx, KILL, arg(0), 0, arg(1), ret))
SYSCALL_RETURN(tkill, done(ctx, TKILL, arg(0), arg(0), arg(1), ret))
SYSCALL_RETURN(tgkill, done(ctx, TGKILL, arg(0), arg(1), arg(2), ret))
SYSCALL_RETURN_COMPAT(rt_sigqueueinfo, done(ctx, RT_SIGQUEUEINFO, arg(0), 0, arg(1), ret),
		      done(ctx, RT_SIGQUEUEINFO, arg(0), 0, arg(1), ret))
SYSCALL_RETURN_COMPAT(rt_tgsigqueueinfo, done(ctx, RT_TGSIGQUEUEINFO, arg(0), arg(1), arg(2), ret),
		      done(ctx, RT_TGSIGQUEUEINFO, arg(0), arg(1), arg(2), ret))
SYSCALL_RETURN(pidfd_send_signal,
	       done(ctx, PIDFD_SEND_SIGNAL, pid_of_pidfd(arg(0)), 0, arg(1), ret))

/* Where the functions cannot be traced: the system calls themselves. */
static __always_inline int enter(u32 what, s32 tpid, s32 ttid, s32 sig)
{
	struct call call = { what, tpid, ttid, sig };
	u32 tid = current_tid();

	if (wanted() && asked_for(&call))
		begin(&calls, &tid, &call);
	return 0;
}

static __always_inline int leave(void *ctx, long ret)
{
	u32 tid = current_tid();
	struct call *call = bpf_map_lookup_elem(&calls, &tid);

	if (call) {
		report(ctx, call, ret);
		bpf_map_delete_elem(&calls, &tid);
	}
	return 0;
}

SYSCALL(kill, enter(KILL, arg(0), 0, arg(1)))
SYSCALL(tkill, enter(TKILL, arg(0), arg(0), arg(1)))
SYSCALL(tgkill, enter(TGKILL, arg(0), arg(1), arg(2)))
SYSCALL(rt_sigqueueinfo, enter(RT_SIGQUEUEINFO, arg(0), 0, arg(1)))
SYSCALL(rt_tgsigqueueinfo, enter(RT_TGSIGQUEUEINFO, arg(0), arg(1), arg(2)))
SYSCALL(pidfd_send_signal, enter(PIDFD_SEND_SIGNAL, pid_of_pidfd(arg(0)), 0, arg(1)))

static __always_inline int on_generate(void *ctx, int sig, struct kernel_siginfo *info,
				       struct task_struct *target, int result, bool typed)
{
	struct killsnoop_event e = { .sig = sig, .result = result, .call = NO_CALL };
	struct call call = { .sig = sig };
	struct ids ids;

	if (!wanted())
		return 0;
	ids = ids_of(target, FIELD(typed, target, tgid), FIELD(typed, target, pid));
	call.tpid = ids.pid;
	if (!asked_for(&call) || (conf.failed && !result))
		return 0;
	task_now(&e.task);
	e.tpid = ids.pid;
	e.ttid = ids.tid;
	if ((u64)info == SEND_SIG_PRIV)
		e.code = SI_KERNEL;
	else if ((u64)info != SEND_SIG_NOINFO)
		e.code = BPF_CORE_READ(info, si_code);
	COMM_OF(e.tcomm, target);
	emit(ctx, &e, sizeof(e));
	return 0;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(generated, int sig, struct kernel_siginfo *info, struct task_struct *target, int group,
	     int result)
{
	return on_generate(ctx, sig, info, target, result, true);
}

SEC("raw_tp/signal_generate")
int BPF_PROG(generated_raw, int sig, struct kernel_siginfo *info, struct task_struct *target,
	     int group, int result)
{
	return on_generate(ctx, sig, info, target, result, false);
}
