/* Calls that took long, from entry to return: the arguments are the entry's, the stacks the
 * return's, which begin with the caller. */
#include "bcctool.bpf.h"
#include "call.bpf.h"
#include "eventstack.bpf.h"
#include "site.bpf.h"
#include "funcslower.h"

struct call {
	u64 start;
	u64 args[FUNCSLOWER_ARGS];
};

const volatile struct funcslower_conf conf;
CALLS(struct call, 32768);
PERCPU(scratch, struct funcslower_event);
EVENTS;

/* The compiler would make one load from one of two places of them, and the verifier refuse it. */
#define REG(name)                                                                                  \
	({                                                                                         \
		u64 value;                                                                         \
                                                                                                   \
		asm volatile("%0 = *(u64 *)(%1 + %2)"                                              \
			     : "=r"(value)                                                         \
			     : "r"(ctx), "i"(offsetof(struct pt_regs, name)));                     \
		value;                                                                             \
	})

/* Go passes arguments in registers of its own choice on x86 (abi-internal.md). */
#ifdef __TARGET_ARCH_x86
#define C_ARGS                                                                                     \
	{                                                                                          \
		REG(di), REG(si), REG(dx), REG(cx), REG(r8), REG(r9)                               \
	}
#define GO_ARGS                                                                                    \
	{                                                                                          \
		REG(ax), REG(bx), REG(cx), REG(di), REG(si), REG(r8)                               \
	}
#else
#define C_ARGS                                                                                     \
	{                                                                                          \
		REG(user_regs.regs[0]), REG(user_regs.regs[1]), REG(user_regs.regs[2]),            \
			REG(user_regs.regs[3]), REG(user_regs.regs[4]), REG(user_regs.regs[5])     \
	}
#define GO_ARGS C_ARGS
#endif

static __always_inline void c_args(struct pt_regs *ctx, u64 args[FUNCSLOWER_ARGS])
{
	u64 regs[] = C_ARGS;

	__builtin_memcpy(args, regs, sizeof(regs));
}

static __always_inline void go_args(struct pt_regs *ctx, u64 args[FUNCSLOWER_ARGS])
{
	u64 regs[] = GO_ARGS;

	__builtin_memcpy(args, regs, sizeof(regs));
}

static __always_inline int enter(struct pt_regs *ctx, u32 number)
{
	struct call_key key;
	struct call call = {};

	if (!wanted())
		return 0;
	key = call_of(ctx, number);
	if (conf.args && number & CALL_GO)
		go_args(ctx, call.args);
	else if (conf.args)
		c_args(ctx, call.args);
	call.start = bpf_ktime_get_ns();
	call_begin(&key, &call, number);
	return 0;
}

static __always_inline int leave(struct pt_regs *ctx, u32 number)
{
	struct call_key key = call_of(ctx, number);
	struct funcslower_event *e;
	struct call call;
	u64 ns;

	if (!call_end(&key, &call) || !elapsed(call.start, &ns) || ns < conf.min_ns)
		return 0;
	e = scratch_here();
	if (!e)
		return 0;
	task_now(&e->task);
	e->task.time = call.start;
	e->lat_ns = ns;
	e->retval = PT_REGS_RC(ctx);
	e->func = key.func;
	e->unused = 0;
	__builtin_memcpy(e->args, call.args, sizeof(e->args));
	if (!conf.kernel_stack && !conf.user_stack) {
		emit(ctx, e, offsetof(struct funcslower_event, kernel));
		return 0;
	}
	e->kernel.n = e->user.n = 0;
	if (conf.kernel_stack)
		eventstack_take(ctx, &e->kernel, 0);
	if (conf.user_stack)
		eventstack_take(ctx, &e->user, BPF_F_USER_STACK);
	emit(ctx, e, sizeof(*e));
	return 0;
}

static __always_inline int follow(void *ctx, u32 number)
{
	return number & CALL_RETURN ? leave(ctx, number) : enter(ctx, number);
}

SITES(follow)
