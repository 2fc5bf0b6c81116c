#include <errno.h>

#define ROW struct threadsnoop_event
#include "applet.h"
#include "clock.h"
#include "probe/probed.h"
#include "threadsnoop.h"
#include "usyms.h"

static void since_start(struct buf *b, const void *field, const void *row)
{
	u64 time = *(const u64 *)field;

	(void)row;
	buf_u64(b, time > clock_start ? (time - clock_start) / 1000000 : 0);
}

static void function_name(struct buf *b, const void *field, const void *row)
{
	const struct threadsnoop_event *e = row;
	u64 addr = *(const u64 *)field;
	static struct usyms *us;
	struct buf name = {};
	struct sym sym;

	us = us ?: usyms_new();
	if (us && usyms_find(us, e->task.pid, addr, &sym) == -ENOENT)
		usyms_refresh(us, e->task.pid); /* mapped since, or another process's pid */
	if (us && !usyms_find(us, e->task.pid, addr, &sym)) {
		sym_text(&name, &sym, false);
		buf_safe(b, name.data, name.len);
		buf_free(&name);
	} else {
		buf_hex(b, addr);
	}
}

static const struct opt options[] = {
	OPT_PID('p'),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(ms)", -10, "time of the call, in milliseconds since tracing began",
	    .as = AS_ELAPSED, .text = since_start),
	COL(task.pid, "PID", -7, "process ID"),
	COL(task.comm, "COMM", -16, "name of the thread that called"),
	COL(function, "FUNC", 0,
	    "function that the new thread begins with; its address if the "
	    "process was gone before it could be looked up",
	    .name = function_name),
	COL_DATA(task.tid, "thread that called"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "threads made by all processes" },
	{ "-p 181", "threads that process 181 makes" },
	{ 0 },
};

static void check(void)
{
	/* Until glibc 2.34 it is in a library of its own. */
	probed_add(probed_exists("c:pthread_create") ? "c:pthread_create"
						     : "pthread:pthread_create");
	probed_check();
}

static const struct applet threadsnoop = {
	.name = "threadsnoop",
	.summary = "trace new threads and the functions they begin with",
	.doc = "Prints calls of pthread_create(3) of the machine's C library, or with -p of that "
	       "of the process. Whoever makes threads without it is not seen: programs that are "
	       "linked statically, Go, and containers with another C library.\n\n"
	       "Costs nothing that can be measured unless threads are made by the thousand.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.untyped = true,
	.check = check,
	.prepare = probed_prepare,
	.attached = probed_attached,
	.run = run_events,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(threadsnoop);
