#include <linux/perf_event.h>

#define ROW struct faults_row
#include "applet.h"
#include "faults.h"

static struct faults_conf conf = { .period = 1 };

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('c', "period", "N", &conf.period,
	    "look at one fault in N on each CPU, which counts as N (default 1)", .min = 1),
	OPT_FOLDED('f'),
	OPT_OFFSET('s'),
	OPT_STACKS,
	OPT_UNWIND,
	OPT_EXEC,
	{ 0 },
};

static const struct column columns[] = {
	COL(key.user, "USER", 0, "user frames, the innermost first", .as = AS_USTACK),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(key.pid, "PID", 0, "process ID"),
	COL(count, "COUNT", 0, "how many page faults"),
	{ 0 },
};

static const struct example examples[] = {
	{ "10", "who touches new memory, in ten seconds" },
	{ "-p 181", "process 181" },
	{ "-c 100 -f 30", "one fault in a hundred, for a flame graph" },
	{ 0 },
};

static void attached(struct run *run)
{
	int err = run_counter(run, "fault", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS,
			      conf.period);

	if (err)
		die_err(err, "cannot count page faults");
}

static const struct applet faults = {
	.name = "faults",
	.summary = "count page faults by user stack",
	.doc = "Counts page faults, minor and major, by the user stack that they happen in: what "
	       "code touches memory for the first time, and so makes the process grow. Faults of "
	       "the kernel on a process's memory count as the process's.\n\n"
	       "User stacks are walked by frame pointers.\n\n"
	       "Walks a stack at every fault: a few microseconds each; -c makes it fewer.",
	.positionals = ARGS_DURATION,
	.options = options,
	.columns = columns,
	.examples = examples,
	CONF(conf),
	VALUE(count),
	.banner = "Tracing page faults... Hit Ctrl-C to end.",
	.attached = attached,
	.sort = "count",
	.ascending = true,
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(faults);
