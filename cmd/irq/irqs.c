/* softirqs and hardirqs: time in the handlers of interrupts, or how many there were. */
#include <bpf/libbpf.h>

#include "applet.h"
#include "hardirqs.h"
#include "softirqs.h"

static struct irqs_conf conf = { .cpu = -1 };
static const bool always = true;
static bool usecs;    /* neither -C nor -N */
static size_t totals; /* where in a row they are */

/* The names that /proc/softirqs has in capitals. */
static const char *const vectors[] = { "hi",       "timer",   "net_tx", "net_rx",  "block",
				       "irq_poll", "tasklet", "sched",  "hrtimer", "rcu" };

#define OPTIONS(count_name, ...)                                                                   \
	OPT_TIMESTAMP('T'), OPT('N', "nanoseconds", NULL, &conf.ns, "print nanoseconds"),          \
		OPT('C', count_name, NULL, &conf.count, "count, and do not measure time",          \
		    ##__VA_ARGS__),                                                                \
		OPT('d', "dist", NULL, &conf.dist, "print a histogram for each",                   \
		    .also = "distributed"),                                                        \
		OPT('c', "cpu", "CPU", &conf.cpu, "trace this CPU only", .also = "s")

static const struct opt soft_options[] = { OPTIONS("events", .also = "count"), { 0 } };
static const struct opt hard_options[] = { OPTIONS("count"), { 0 } };

#define TOTALS                                                                                     \
	COL(total.count, "TOTAL_count", 11, "how many", .show = &conf.count),                      \
		COL(total.total_ns, "TOTAL_usecs", 11, "time in the handler; 0 with -C",           \
		    .as = AS_US, .show = &usecs),                                                  \
		COL(total.total_ns, "TOTAL_nsecs", 11, "the same in nanoseconds",                  \
		    .show = &conf.ns, .no_data = true)

#define ROW struct softirqs_row
static const struct column soft_columns[] = {
	COL(softirq, "SOFTIRQ", -16, "kind of soft interrupt", NAMES(vectors)),
	TOTALS,
	{ 0 },
};
static const struct column soft_keys[] = {
	COL(softirq, "softirq", 0, "kind of soft interrupt", NAMES(vectors)),
	{ 0 },
};

#undef ROW
#define ROW struct hardirqs_row
static const struct column hard_columns[] = {
	COL(key.hardirq, "HARDIRQ", -26, "name of the handler, as in /proc/interrupts"),
	TOTALS,
	{ 0 },
};
static const struct column hard_keys[] = {
	COL(key.hardirq, "hardirq", 0, "name of the handler"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "time by handler until Ctrl-C" },
	{ "10 1", "one report, after ten seconds" },
	{ "-d", "histograms of the times" },
	{ "-C 1", "counts, every second" },
	{ "-c 1 -NT 1", "nanoseconds on CPU 1, every second, with the time" },
	{ 0 },
};

static const struct probe soft_probes[] = {
	{ "beginning of soft interrupts", { "entry", "entry_raw" } },
	{ "end of soft interrupts", { "end", "end_raw" }, .unless = &conf.count },
	{ 0 },
};

static const struct probe hard_probes[] = {
	{ "beginning of interrupt handlers", { "entry", "entry_raw" }, .unless = &conf.count },
	{ "end of interrupt handlers", { "end", "end_raw" } },
	{ 0 },
};

static void check(void)
{
	int cpus = libbpf_num_possible_cpus();

	if (conf.count && (conf.dist || conf.ns))
		opt_error("-C counts, and -d and -N are about time: they exclude each other");
	if (cpus > 0 && conf.cpu >= cpus)
		opt_error("no CPU %d: the last is %d", conf.cpu, cpus - 1);
	usecs = !conf.count && !conf.ns;
}

static void banner(struct buf *b, const char *kind)
{
	buf_fmt(b, "Tracing %s irq event%s... Hit Ctrl-C to end.\n", kind,
		conf.count ? "s" : " time");
}

static void soft_banner(struct buf *b)
{
	banner(b, "soft");
}

static void hard_banner(struct buf *b)
{
	banner(b, "hard");
}

/* The largest last. */
static int compare(const void *a, const void *b)
{
	struct irqs_total x, y;

	memcpy(&x, (const char *)a + totals, sizeof(x));
	memcpy(&y, (const char *)b + totals, sizeof(y));
	if (conf.count)
		return (x.count > y.count) - (x.count < y.count);
	return (x.total_ns > y.total_ns) - (x.total_ns < y.total_ns);
}

/* -d is another applet: each handler's value is a histogram. */
#define DIST(keys)                                                                                 \
	{                                                                                          \
		.columns = keys, VALUE(total), .unit = { "usecs", "nsecs", &conf.ns }              \
	}
#undef ROW
#define ROW struct softirqs_row
static const struct applet soft_dist = DIST(soft_keys);
#undef ROW
#define ROW struct hardirqs_row
static const struct applet hard_dist = DIST(hard_keys);

static void soft_prepare(struct run *run)
{
	if (!conf.dist)
		rows_limit(run, "hists", 1); /* not used, as below */
}

static void hard_prepare(struct run *run)
{
	rows_limit(run, conf.dist ? "rows" : "hists", 1);
}

static void run_irqs(struct run *run, const struct applet *dist)
{
	totals = run->applet->value;
	if (conf.dist) {
		run->applet = dist;
		run_hist(run);
	} else {
		run_table(run);
	}
}

static void run_soft(struct run *run)
{
	run_irqs(run, &soft_dist);
}

static void run_hard(struct run *run)
{
	run_irqs(run, &hard_dist);
}

#undef ROW
#define ROW struct softirqs_row
static const struct applet softirqs = {
	.name = "softirqs",
	.summary = "sum up the time in soft interrupts",
	.doc = "Measures the time in soft interrupts by their kind: timers, network, block I/O, "
	       "RCU "
	       "and others. Hardware interrupts that come meanwhile are part of the time.\n\n"
	       "Costs about as much as tracing each packet or timer does: more where there are "
	       "many.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = soft_options,
	.columns = soft_columns,
	.examples = examples,
	.probes = soft_probes,
	CONF(conf),
	.check = check,
	.counted = &always,
	.prepare = soft_prepare,
	.banner_text = soft_banner,
	VALUE(total),
	.unit = { "usecs", "nsecs", &conf.ns },
	.compare = compare,
	.run = run_soft,
};

#undef ROW
#define ROW struct hardirqs_row
static const struct applet hardirqs = {
	.name = "hardirqs",
	.summary = "sum up the time in handlers of hardware interrupts",
	.doc = "Measures the time in the handlers of hardware interrupts by their names. Devices "
	       "that share a line each have their own handler; where the line is raised, those "
	       "that "
	       "had nothing to do are not counted. Interrupts that the processor itself takes "
	       "care of, such as those of its timer, have no such handler.\n\n"
	       "Costs little unless there are many thousands of interrupts a second.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = hard_options,
	.columns = hard_columns,
	.examples = examples,
	.probes = hard_probes,
	CONF(conf),
	.check = check,
	.prepare = hard_prepare,
	.banner_text = hard_banner,
	VALUE(total),
	.unit = { "usecs", "nsecs", &conf.ns },
	.compare = compare,
	.run = run_hard,
};

APPLET(softirqs);
APPLET(hardirqs);
