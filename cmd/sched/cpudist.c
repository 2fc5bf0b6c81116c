#define ROW struct cpudist_row
#include "applet.h"
#include "cpudist.h"

static struct cpudist_conf conf;
static bool extension, by_task;

static const struct opt options[] = {
	OPT('O', "offcpu", NULL, &conf.off_cpu, "measure the time off CPU"),
	OPT_TIMESTAMP('T'),
	OPT('m', "milliseconds", NULL, &conf.ms, "count milliseconds, not microseconds"),
	OPT('P', "pids", NULL, &conf.by_pid, "print a histogram per process"),
	OPT('L', "tids", NULL, &conf.by_tid, "print a histogram per thread"),
	OPT_PID('p'),
	OPT('I', "include-idle", NULL, &conf.idle,
	    "count the idle threads too; with -P and -L apart for each CPU"),
	OPT_CGROUP('c'),
	OPT('e', "extension", NULL, &extension, "print the average, total and count"),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.pid, "pid", 0, "process ID", .show = &conf.by_pid),
	COL(key.tid, "tid", 0, "thread ID", .show = &conf.by_tid),
	COL(value.comm, "comm", 0, "name of the process, or with -L of the thread",
	    .show = &by_task),
	COL_DATA(value.total_ns, "sum of all times, in nanoseconds"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "on-CPU times until Ctrl-C" },
	{ "-O 10 1", "off-CPU times of ten seconds" },
	{ "-mT 1", "milliseconds, every second, with the time" },
	{ "-P", "a histogram for each process" },
	{ "-p 181 -e", "process 181, with average, total and count" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "context switches", { "switched", "switched_raw" } },
	{ 0 },
};

static void check(void)
{
	by_task = conf.by_pid || conf.by_tid;
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing %s-CPU time... Hit Ctrl-C to end.\n", conf.off_cpu ? "off" : "on");
}

/* -e: over all histograms of the report. */
static void total(struct buf *b, const struct rows *rows)
{
	const char *unit = conf.ms ? "msecs" : "usecs";
	u64 div = conf.ms ? 1000000 : 1000, ns = 0, n = 0;

	for (size_t i = 0; i < rows->n; i++) {
		struct cpudist_row row;

		memcpy(&row, rows_at(rows, i), sizeof(row));
		ns += row.value.total_ns;
		for (int slot = 0; slot < HIST_SLOTS; slot++)
			n += row.value.hist.slots[slot];
	}
	if (extension && n)
		buf_fmt(b, "\navg = %llu %s, total: %llu %s, count: %llu\n\n", ns / div / n, unit,
			ns / div, unit, n);
}

static const struct applet cpudist = {
	.name = "cpudist",
	.summary = "show how long threads run on a CPU, or stay off, as a histogram",
	.doc = "Measures each stretch of time that a thread runs on a CPU, from being switched in "
	       "to being switched out; with -O each stretch off CPU, whether the thread sleeps or "
	       "waits for its turn. Stretches that began before tracing or have not ended are not "
	       "counted.\n\n"
	       "Traces every context switch: expect a few percent on a busy machine.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.banner_text = banner,
	VALUE(value),
	.unit = { "usecs", "msecs", &conf.ms },
	.total = total,
	.run = run_hist,
};

APPLET(cpudist);
