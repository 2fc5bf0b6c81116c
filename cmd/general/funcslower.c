#include <errno.h>
#include <stdlib.h>

#define ROW struct funcslower_event
#include "applet.h"
#include "funcslower.h"
#include "probe/probed.h"
#include "stacks.h"

static struct funcslower_conf conf;
static const char *min_ms, *min_us;
static bool time_of_day, in_ms, in_us, with_args;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('m', "min-ms", "MS", &min_ms, "print calls of MS milliseconds or longer (default 1)"),
	OPT('u', "min-us", "US", &min_us, "print calls of US microseconds or longer"),
	OPT('a', "arguments", "N", &conf.args, "print the first N arguments of the call, in hex",
	    .max = FUNCSLOWER_ARGS),
	OPT('T', "time", NULL, &time_of_day, "print the time of day"),
	OPT('t', "timestamp", NULL, &common.timestamp, "print the time in seconds"),
	OPT_FOLDED('f'),
	OPT('U', "user-stack", NULL, &conf.user_stack, "print the user stack"),
	OPT('K', "kernel-stack", NULL, &conf.kernel_stack, "print the kernel stack"),
	OPT_DELIMITED(0),
	OPT_OFFSET(0),
	OPT_PICTURES,
	OPT_LIST_PROBES(0),
	OPT_EXEC,
	{ 0 },
};

static void in_microseconds(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_fixed(b, *(const u64 *)field, 1000, 2);
}

static void in_hex(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_fmt(b, "%llx", *(const u64 *)field);
}

static void args_text(struct buf *b, const void *field, const void *row)
{
	const u64 *args = field;

	(void)row;
	for (u32 i = 0; i < conf.args; i++) {
		if (i)
			buf_chr(b, ' ');
		buf_hex(b, args[i]);
	}
}

static const struct column columns[] = {
	COL(task.time, "TIME", -10, "time of the call", .as = AS_TIME, .show = &time_of_day),
	COL(task.time, "TIME", -10, "time of the call, in seconds since tracing began; with -t",
	    .as = AS_ELAPSED, .digits = 6, .show = &common.timestamp, .no_data = true),
	COL(task.comm, "COMM", -14, "thread name"),
	COL(task.pid, "PID", -6, "process ID"),
	COL(lat_ns, "LAT(ms)", 7, "time from entry to return", .as = AS_MS, .digits = 2,
	    .show = &in_ms),
	COL(lat_ns, "LAT(us)", 7, "the same, with -u", .text = in_microseconds, .show = &in_us,
	    .no_data = true),
	COL(retval, "RVAL", 16, "return value, in hex", .text = in_hex),
	COL(func, "FUNC", 0, "function", .name = probed_name),
	{ .key = "args",
	  .head = "ARGS",
	  .help = "arguments, in hex, with -a",
	  .type = COL_UNSIGNED,
	  .offset = offsetof(ROW, args),
	  .size = sizeof(u64),
	  .name = args_text,
	  .show = &with_args },
	COL_DATA(task.tid, "thread ID"),
	COL_STACK(kernel, "KERNEL", AS_KSTACK, &conf.kernel_stack,
		  "kernel frames, from the caller outwards; with -K"),
	COL_STACK(user, "USER", AS_USTACK, &conf.user_stack,
		  "user frames, from the caller outwards; with -U"),
	{ 0 },
};

static const struct example examples[] = {
	{ "vfs_write", "calls of vfs_write() that take 1 ms or longer" },
	{ "-m 10 vfs_fsync c:fsync", "10 ms or longer in either of two functions" },
	{ "-u 10 -p 181 c:open", "10 us or longer in open() of libc, in process 181" },
	{ "-a 2 -t vfs_read", "with the first two arguments, and the time" },
	{ "-UKf -m 50 do_nanosleep", "stacks for a flame graph" },
	{ 0 },
};

static u64 threshold(const char *option, const char *arg, u64 unit)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= 0 && v <= 1e9))
		opt_error("--%s: not a number from 0 to 1000000000: %s", option, *arg ? arg : "''");
	return v * unit;
}

static void check(void)
{
	if (min_ms && min_us)
		opt_error("-m and -u exclude each other");
	if (time_of_day && common.timestamp)
		opt_error("-T and -t exclude each other");
	if (common.folded && !conf.user_stack && !conf.kernel_stack)
		opt_error("-f is about stacks: say which, -U or -K");
	in_us = min_us;
	in_ms = !in_us;
	conf.min_ns = in_us ? threshold("min-us", min_us, 1000)
			    : threshold("min-ms", min_ms ?: "1", 1000000);
	with_args = conf.args;
	probed_check_calls();
}

static void banner(struct buf *b)
{
	if (!common.folded)
		buf_fmt(b, "Tracing function calls slower than %s %s... Ctrl+C to quit.\n",
			min_us   ?: min_ms ?: "1", in_us ? "us" : "ms");
}

static const struct applet funcslower = {
	.name = "funcslower",
	.summary = "trace slow calls of functions",
	.doc = "Prints calls that take at least a threshold from a function's entry to its return, "
	       "of the kernel, a library or a program, when they return.\n\n"
	       "Calls that are under way at the beginning are not seen. The kernel remembers a "
	       "limited number of calls of a function at a time that it will see return; those "
	       "above are missed, which it tells since Linux 6.7.\n\n"
	       "Every call costs a microsecond or so, of a user function several, not only the "
	       "slow ones.",
	.options = options,
	.positionals = ARGS_FUNCTIONS,
	.columns = columns,
	.examples = examples,
	.untyped = true,
	CONF(conf),
	.check = check,
	.prepare = probed_prepare,
	.attached = probed_attached,
	.banner_text = banner,
	.run = run_events,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(funcslower);
