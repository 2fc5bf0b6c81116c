/* Calls of libc that look up a host: the name is the first argument of each. */
#include "bcctool.bpf.h"
#include "call.bpf.h"
#include "site.bpf.h"
#include "gethostlatency.h"

struct call {
	u64 start;
	const char *host;
};

CALLS(struct call, 10240);
EVENTS;

static __always_inline int enter(struct pt_regs *ctx, u32 number)
{
	struct call call = { bpf_ktime_get_ns(), (const char *)PT_REGS_PARM1(ctx) };
	struct call_key key;

	if (!wanted())
		return 0;
	key = call_of(ctx, number);
	call_begin(&key, &call, number);
	return 0;
}

/* The name is read at the end: then it is in memory. None is asked for to listen anywhere. */
static __always_inline int leave(struct pt_regs *ctx, u32 number)
{
	struct call_key key = call_of(ctx, number);
	struct gethostlatency_event e = {};
	struct call call;

	if (!call_end(&key, &call) || !elapsed(call.start, &e.lat_ns))
		return 0;
	task_now(&e.task);
	e.func = key.func;
	if (call.host && bpf_probe_read_user_str(e.host, sizeof(e.host), call.host) < 0)
		lose(LOST_TEXT);
	emit(ctx, &e, sizeof(e));
	return 0;
}

static __always_inline int follow(void *ctx, u32 number)
{
	return number & CALL_RETURN ? leave(ctx, number) : enter(ctx, number);
}

SITES(follow)
