#define ROW struct runqslower_event
#include "applet.h"
#include "runqslower.h"

static struct runqslower_conf conf = { .min_ns = 10000 * 1000 };
static bool previous;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_TID('t'),
	OPT('P', "previous", NULL, &previous, "print the thread that ran before too"),
	OPT('c', "comm", "NAME", &common.comm, "trace threads whose name contains NAME"),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT(0, "min_us", NULL, &conf.min_ns,
	    "print waits longer than this many microseconds (default 10000)", .scale = 1000,
	    .max = ~0ull / 1000),
	{ 0 },
};

static const struct column columns[] = {
	COL(time, "TIME", -8, "time when the thread got a CPU", .as = AS_TIME),
	COL(comm, "COMM", -16, "thread name"),
	COL_DATA(pid, "process ID"),
	COL(tid, "TID", -6, "thread ID"),
	COL(lat_ns, "LAT(us)", 14, "time waited for a CPU", .as = AS_US),
	COL(prev_comm, "PREV COMM", -16, "name of the thread that ran there before",
	    .show = &previous),
	COL_DATA(prev_pid, "process ID of the thread that ran there before"),
	COL(prev_tid, "PREV TID", -6, "thread ID of the thread that ran there before; 0: none",
	    .show = &previous),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "waits longer than 10 ms" },
	{ "1000", "waits longer than 1 ms" },
	{ "-P 1000", "the same, with the thread that had the CPU meanwhile" },
	{ "-p 181", "those of process 181" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "wakeups and context switches",
	  { "wakeup wakeup_new switched", "wakeup_raw wakeup_new_raw switched_raw" } },
	{ 0 },
};

static void check(void)
{
	if (common.filter.pids.n && common.filter.tids.n)
		opt_error("-p and -t exclude each other");
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing run queue latency higher than %llu us\n", conf.min_ns / 1000);
}

static const struct applet runqslower = {
	.name = "runqslower",
	.summary = "trace long waits for a CPU",
	.doc = "Prints a line when a thread got a CPU that it had waited for longer than a "
	       "threshold, since it was woken or preempted. The thread that ran before is the "
	       "last one that it waited for, not always the only one.\n\n"
	       "Traces every wakeup and context switch: expect a few percent on a busy machine.",
	.positionals = positionals,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.banner_text = banner,
	.run = run_events,
};

APPLET(runqslower);
