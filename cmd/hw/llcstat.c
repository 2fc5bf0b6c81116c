#include <stdlib.h>
#include <string.h>
#include <linux/perf_event.h>

#define ROW struct llcstat_row
#include "applet.h"
#include "llcstat.h"

static struct llcstat_conf conf = { .period = 100 };

static const struct opt options[] = {
	OPT('c', "sample_period", "N", &conf.period,
	    "take one sample of N references or misses (default 100)", .min = 1),
	OPT('t', "tid", NULL, &conf.by_thread, "print each thread separately"),
	{ 0 },
};

static void hit_text(struct buf *b, u64 references, u64 misses)
{
	u64 hits = references > misses ? references - misses : 0;

	buf_fmt(b, "%.2f%%", references ? 100.0 * hits / references : 0.0);
}

static void row_hit(struct buf *b, const void *field, const void *row)
{
	struct llcstat_value v;

	(void)row;
	memcpy(&v, field, sizeof(v));
	hit_text(b, v.references, v.misses);
}

static const struct opt positionals[] = {
	OPT(0, "duration", NULL, &common.duration, "seconds to trace for (default 10)", .min = 1),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.pid, "PID", -8, "process ID"),
	COL(key.tid, "TID", -8, "thread ID; with -t", .show = &conf.by_thread),
	COL(key.comm, "NAME", -16, "thread name"),
	COL(key.cpu, "CPU", -4, "CPU"),
	COL(value.references, "REFERENCE", 12, "references to the last-level cache"),
	COL(value.misses, "MISS", 12, "those that it had to take from memory"),
	COL(value.references, "HIT%", 7, "part that it had", .text = row_hit, .no_data = true),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "the cache's hits and misses by process, for ten seconds" },
	{ "20", "for twenty seconds" },
	{ "-c 5000", "a sample of 5000, which costs less" },
	{ "-t", "by thread" },
	{ 0 },
};

static const struct counters {
	u32 type;
	u64 references, misses;
} hardware = { PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES, PERF_COUNT_HW_CACHE_MISSES },
  software = { PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, PERF_COUNT_SW_CONTEXT_SWITCHES };
static const struct counters *counters = &hardware;

/*
 * Tests have machines without a PMU: BCCTOOL_LLC=software counts page faults and context switches
 * in place of references and misses.
 */
static void check(void)
{
	const char *other = getenv("BCCTOOL_LLC");

	if (other && !strcmp(other, "software"))
		counters = &software;
	if (!run_has_counter(counters->type, counters->references) ||
	    !run_has_counter(counters->type, counters->misses))
		die("this machine has no hardware counters (PMU) of its last-level cache: few "
		    "virtual machines do");
	common.duration = common.duration ?: 10;
}

static void attached(struct run *run)
{
	int err = run_counter(run, "reference", counters->type, counters->references, conf.period);

	if (!err)
		err = run_counter(run, "miss", counters->type, counters->misses, conf.period);
	if (err)
		die_err(err, "cannot count references to the last-level cache");
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Running for %d seconds or hit Ctrl-C to end.\n", common.duration);
}

static void total(struct buf *b, const struct rows *rows)
{
	u64 references = 0, misses = 0;

	for (size_t i = 0; i < rows->n; i++) {
		struct llcstat_row r;

		memcpy(&r, rows_at(rows, i), sizeof(r));
		references += r.value.references;
		misses += r.value.misses;
	}
	buf_fmt(b, "Total References: %llu Total Misses: %llu Hit Rate: ", references, misses);
	hit_text(b, references, misses);
	buf_chr(b, '\n');
}

static const struct applet llcstat = {
	.name = "llcstat",
	.summary = "count hits and misses of the last-level cache by process",
	.doc = "Counts references to the CPU's last-level cache and those that missed it, by the "
	       "counters of the hardware (PMU), which few virtual machines have. Both are samples: "
	       "each stands for as many as -c says, and is the thread's that ran at that "
	       "moment. So misses of a short time may be more than the references.\n\n"
	       "Costs an interrupt a sample: less with a larger -c.",
	.positionals = positionals,
	.options = options,
	.columns = columns,
	.examples = examples,
	CONF(conf),
	VALUE(value),
	.check = check,
	.attached = attached,
	.banner_text = banner,
	.sort = "references",
	.total = total,
	.untyped = true,
	.run = run_table,
};

APPLET(llcstat);
