#include <bpf/libbpf.h>

#define ROW struct softirqslower_event
#include "applet.h"
#include "softirqslower.h"

static struct softirqslower_conf conf = { .min_ns = 10000 * 1000, .cpu = -1 };

/* The names that /proc/softirqs has in capitals. */
static const char *const vectors[] = { "hi",       "timer",   "net_tx", "net_rx",  "block",
				       "irq_poll", "tasklet", "sched",  "hrtimer", "rcu" };

static const char *const stages[] = {
	[STAGE_RAISED] = "irq(hard) to softirq",
	[STAGE_RUN] = "softirq runtime",
};

static const struct opt options[] = {
	OPT('c', "cpu", "CPU", &conf.cpu, "trace this CPU only", .min = 0),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT(0, "min_us", NULL, &conf.min_ns,
	    "print what takes this many microseconds or longer (default 10000)", .scale = 1000,
	    .max = ~0ull / 1000),
	{ 0 },
};

static const struct column columns[] = {
	COL(time, "TIME", -8, "time when the stage was over", .as = AS_TIME),
	COL(stage, "STAGE", -20,
	    "irq(hard) to softirq: from raising it to its handler; softirq runtime: in the handler",
	    NAMES(stages)),
	COL(softirq, "SOFTIRQ", -8, "kind of soft interrupt", NAMES(vectors)),
	COL(lat_ns, "LAT(us)", 14, "time in the stage", .as = AS_US),
	COL(cpu, "CPU", -6, "CPU"),
	COL(comm, "COMM", -16, "name of the thread that was interrupted, or of ksoftirqd"),
	COL_DATA(pid, "its process ID"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "soft interrupts that wait or run for 10 ms or longer" },
	{ "1000", "the same for 1 ms" },
	{ "-c 1", "those of CPU 1" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "raising of soft interrupts", { "raised", "raised_raw" } },
	{ "beginning of soft interrupts", { "entry", "entry_raw" } },
	{ "end of soft interrupts", { "end", "end_raw" } },
	{ 0 },
};

static void check(void)
{
	int cpus = libbpf_num_possible_cpus();

	if (cpus > 0 && conf.cpu >= cpus)
		opt_error("no CPU %d: the last is %d", conf.cpu, cpus - 1);
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing softirq latency higher than %llu us... Hit Ctrl-C to end.\n",
		conf.min_ns / 1000);
}

static const struct applet softirqslower = {
	.name = "softirqslower",
	.summary = "trace soft interrupts that wait or run for long",
	.doc = "Prints soft interrupts whose handler begins late after they were raised, or takes "
	       "long. Hardware interrupts that come meanwhile are part of the time.\n\n"
	       "Costs about as much as tracing each packet or timer does: more where there are "
	       "many.",
	.options = options,
	.positionals = positionals,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.banner_text = banner,
	.run = run_events,
};

APPLET(softirqslower);
