/* A line is what readline() returns; NULL at the end of the input. */
#include "bcctool.bpf.h"
#include "site.bpf.h"
#include "bashreadline.h"

PERCPU(scratch, struct bashreadline_event);
EVENTS;

static __always_inline int line_read(struct pt_regs *ctx, u32 site)
{
	const char *line = (const char *)PT_REGS_RC(ctx);
	struct bashreadline_event *e = scratch_here();
	long n;

	if (!line || !e || !wanted())
		return 0;
	n = bpf_probe_read_user_str(e->command, sizeof(e->command), line);
	if (n < 0 || n > BASHREADLINE_MAX) {
		lose(LOST_EVENT);
		return 0;
	}
	if (!n) { /* kernels differ in whether they count the NUL of an empty string */
		e->command[0] = '\0';
		n = 1;
	}
	task_now(&e->task);
	emit(ctx, e, offsetof(struct bashreadline_event, command) + n);
	return 0;
}

SITES(line_read)
