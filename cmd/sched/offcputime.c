#define ROW struct offcputime_row
#include "applet.h"
#include "out.h"
#include "offcputime.h"

static struct offcputime_conf conf = { .min_us = 1, .max_us = -1ull };
static u32 state = -1;
static bool user_only, kernel_only;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_TID('t'),
	OPT('u', "user-threads-only", NULL, &conf.user_threads, "trace no kernel threads"),
	OPT('k', "kernel-threads-only", NULL, &conf.kernel_threads, "trace kernel threads only"),
	OPT('U', "user-stacks-only", NULL, &user_only, "show user frames only"),
	OPT('K', "kernel-stacks-only", NULL, &kernel_only, "show kernel frames only"),
	OPT_DELIMITED('d'),
	OPT_FOLDED('f'),
	OPT_OFFSET('s'),
	OPT_STACKS,
	OPT('m', "min-block-time", "US", &conf.min_us,
	    "count blocking of US microseconds or longer (default 1)", .min = 1),
	OPT('M', "max-block-time", "US", &conf.max_us,
	    "count blocking of US microseconds or shorter", .min = 1),
	OPT(0, "state", "STATE", &state,
	    "count blocking in these states: 1 interruptible, 2 not; 0 is preempted",
	    .max = 0xffff),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.kernel, "KERNEL", 0, "kernel frames, the innermost first", .as = AS_KSTACK,
	    .show = &conf.kernel_stacks),
	COL(key.user, "USER", 0, "user frames, the innermost first", .as = AS_USTACK,
	    .show = &conf.user_stacks),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(key.pid, "PID", 0, "process ID"),
	COL(key.tid, "TID", 0, "thread ID; in the text, after the name"),
	COL(off.us, "USECS", 0, "time off the CPU, in microseconds"),
	COL_DATA(off.count, "how often"),
	{ 0 },
};

static const struct example examples[] = {
	{ "5", "where threads blocked, for five seconds" },
	{ "-fKu 10", "kernel stacks of user threads, for a flame graph" },
	{ "-df -p 181 10", "both stacks of a process, folded, with a delimiter" },
	{ "-m 1000 -M 10000", "blocking of one to ten milliseconds" },
	{ "--state 2 10", "uninterruptible sleep: mostly waiting for disks" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "context switches", { "switched_state", "switched", "switched_raw" } },
	{ 0 },
};

static void check(void)
{
	bool named = common.filter.pids.n || common.filter.tids.n;

	if (common.filter.pids.n && common.filter.tids.n)
		opt_error("-p and -t exclude each other");
	if (conf.user_threads && conf.kernel_threads)
		opt_error("-u and -k exclude each other");
	if (named && (conf.user_threads || conf.kernel_threads))
		opt_error("-u and -k do not go with -p or -t");
	if (user_only && kernel_only)
		opt_error("-U and -K exclude each other");
	if (conf.kernel_threads && user_only)
		opt_error("-k with -U: kernel threads have no user stacks");
	conf.kernel_stacks = !user_only;
	conf.user_stacks = !kernel_only;
	conf.by_state = state != (u32)-1;
	conf.state = conf.by_state ? state : 0;
}

static void name_ids(struct buf *b, const char *what, const struct bcc_ids *ids)
{
	buf_fmt(b, "%s ", what);
	for (u32 i = 0; i < ids->n; i++)
		buf_fmt(b, "%s%u", i ? "," : "", ids->id[i]);
}

static void banner(struct buf *b)
{
	if (common.folded)
		return;
	buf_str(b, "Tracing off-CPU time (us) of ");
	if (common.filter.pids.n)
		name_ids(b, "PID", &common.filter.pids);
	else if (common.filter.tids.n)
		name_ids(b, "TID", &common.filter.tids);
	else
		buf_str(b, conf.user_threads     ? "user threads"
			   : conf.kernel_threads ? "kernel threads"
						 : "all threads");
	buf_fmt(b, " by %s stack", user_only ? "user" : kernel_only ? "kernel" : "user + kernel");
	if (common.duration)
		buf_fmt(b, " for %d secs.\n", common.duration);
	else
		buf_str(b, "... Hit Ctrl-C to end.\n");
}

static const void *in_us(struct run *run, const void *event, size_t *size)
{
	struct offcputime_row *row = (void *)event;

	(void)run;
	(void)size;
	row->off.us = row->off.ns / 1000;
	return row;
}

static const struct applet offcputime = {
	.name = "offcputime",
	.summary = "sum the time off the CPU by stack",
	.doc = "Shows where threads leave the CPU, and for how long until they are back on it: "
	       "blocked, and then waiting for their turn. What is still blocked at the end is not "
	       "counted. Threads are named as they were when they came back.\n\n"
	       "User stacks are walked by frame pointers. Names are looked up at the end; those of "
	       "processes that live for less than a tenth of a second may be missing.\n\n"
	       "Traces every context switch and walks two stacks at each that is wanted: measure "
	       "the cost on a busy machine before leaving it on; -p, -K and -U lower it, -m does "
	       "not.",
	.positionals = ARGS_DURATION,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.banner_text = banner,
	.event = in_us,
	VALUE(off),
	.sort = "us",
	.ascending = true,
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(offcputime);
