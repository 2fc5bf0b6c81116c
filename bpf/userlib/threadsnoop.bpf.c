/* Calls of pthread_create(thread, attributes, function, argument). */
#include "bcctool.bpf.h"
#include "site.bpf.h"
#include "threadsnoop.h"

EVENTS;

static __always_inline int create(struct pt_regs *ctx, u32 site)
{
	struct threadsnoop_event e = {};

	if (!wanted())
		return 0;
	task_now(&e.task);
	e.function = PT_REGS_PARM3(ctx);
	emit(ctx, &e, sizeof(e));
	return 0;
}

SITES(create)
