#define ROW struct runqlen_row
#include "applet.h"
#include "runqlen.h"

static struct runqlen_conf conf;
static u64 hz =
	99; /* not 100: in step with the scheduler's tick, it would see one moment of it only */
static bool occupancy;

static const struct opt options[] = {
	OPT_TIMESTAMP('T'),
	OPT('O', "runqocc", NULL, &occupancy,
	    "print occupancy: in what part of the samples threads waited"),
	OPT('C', "cpus", NULL, &conf.by_cpu, "print each CPU separately"),
	OPT('f', "frequency", "HZ", &hz, "sample this often a second (default 99)", .min = 1,
	    .max = 100000),
	OPT('H', "host", NULL, &conf.host,
	    "count the whole queue of the CPU, not that of the running thread's group"),
	{ 0 },
};

static const struct column columns[] = {
	COL(cpu, "cpu", 0, "CPU, with -C", .show = &conf.by_cpu),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "lengths of run queues until Ctrl-C" },
	{ "10 1", "one report, after ten seconds" },
	{ "-O 1", "run queue occupancy, every second" },
	{ "-C", "a histogram for each CPU" },
	{ 0 },
};

static void attached(struct run *run)
{
	run_sample(run, "sample", hz);
}

/* -O */
static bool occupied(struct buf *b, const void *row)
{
	u64 samples = 0, idle;
	struct runqlen_row r;
	double percent;

	if (!occupancy)
		return false;
	memcpy(&r, row, sizeof(r));
	idle = r.hist.slots[0];
	for (int i = 0; i < HIST_SLOTS; i++)
		samples += r.hist.slots[i];
	percent = samples ? 100.0 * (samples - idle) / samples : 0;
	if (conf.by_cpu)
		buf_fmt(b, "runqocc, CPU %-3u %6.2f%%\n", r.cpu, percent);
	else
		buf_fmt(b, "runqocc: %0.2f%%\n", percent);
	return true;
}

static const struct applet runqlen = {
	.name = "runqlen",
	.summary = "sample how many threads wait on run queues",
	.doc = "Samples every CPU 99 times a second and counts the threads that wait for their "
	       "turn there; the running one is not among them. Where control groups have CPU "
	       "shares, only those of the running thread's group are seen, except with "
	       "--host. With -O, JSON and CSV have the histograms all the same.\n\n"
	       "Costs next to nothing: nothing is traced.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	CONF(conf),
	.banner = "Sampling run queue length... Hit Ctrl-C to end.",
	VALUE(hist),
	.unit = { "runqlen" },
	.linear = true,
	.attached = attached,
	.line = occupied,
	.run = run_hist,
};

APPLET(runqlen);
