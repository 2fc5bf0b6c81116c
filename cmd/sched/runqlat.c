#define ROW struct runqlat_row
#include "applet.h"
#include "runqlat.h"

static struct runqlat_conf conf;

static const struct opt options[] = {
	OPT_TIMESTAMP('T'),
	OPT('m', "milliseconds", NULL, &conf.ms, "count milliseconds, not microseconds"),
	OPT('P', "pids", NULL, &conf.by_pid, "print a histogram per process"),
	OPT(0, "pidnss", NULL, &conf.by_pidns, "print a histogram per PID namespace"),
	OPT('L', "tids", NULL, &conf.by_tid, "print a histogram per thread"),
	OPT_PID('p'),
	OPT_CGROUP('c'),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.pid, "pid", 0, "process ID", .show = &conf.by_pid),
	COL(key.tid, "tid", 0, "thread ID", .show = &conf.by_tid),
	COL(key.pidns, "pidns", 0, "PID namespace, by its inode; 0 of exiting threads",
	    .show = &conf.by_pidns),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "run queue latency until Ctrl-C" },
	{ "10 1", "one report, after ten seconds" },
	{ "-mT 1", "milliseconds, every second, with the time" },
	{ "-P", "a histogram for each process" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "wakeups and context switches",
	  { "wakeup wakeup_new switched", "wakeup_raw wakeup_new_raw switched_raw" } },
	{ 0 },
};

static const struct applet runqlat = {
	.name = "runqlat",
	.summary = "show run queue latency as a histogram",
	.doc = "Measures how long threads wait for a CPU after they become runnable: woken, or "
	       "preempted.\n\n"
	       "Traces every wakeup and context switch: expect a few percent on a busy machine.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.banner = "Tracing run queue latency... Hit Ctrl-C to end.",
	VALUE(hist),
	.unit = { "usecs", "msecs", &conf.ms },
	.run = run_hist,
};

APPLET(runqlat);
