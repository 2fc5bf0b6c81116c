#define ROW struct dcstat_row
#include "applet.h"
#include "clock.h"
#include "dcstat.h"
#include "stat.h"

/* In the order of enum dcstat_count. */
struct dcstat_row {
	struct bcc_interval interval;
	u64 refs, slow, misses;
};

static const struct opt options[] = {
	OPT_PID('p'),
	{ 0 },
};

static void time_text(struct buf *b, const void *field, const void *row)
{
	(void)row;
	clock_hms(b, *(const u64 *)field);
	buf_chr(b, ':');
}

/* A name may be searched without having been referred to. */
static void ratio(struct buf *b, const void *field, const void *row)
{
	const struct dcstat_row *r = row;
	u64 hits = r->refs > r->misses ? r->refs - r->misses : 0;

	(void)field;
	if (r->refs)
		buf_fixed(b, 10000 * hits / r->refs, 100, 2);
	else
		buf_chr(b, '-');
	buf_chr(b, '%');
}

#define COUNTER(field, head, help)                                                                 \
	COL(field, head, 8, help ", a second; JSON and CSV have the number", .text = stat_rate)

static const struct column columns[] = {
	COL(interval.time, "TIME", -10, "end of the interval", .as = AS_TIME, .text = time_text),
	COUNTER(refs, "REFS/s", "names that were looked up"),
	COUNTER(slow, "SLOW/s", "those that were not found at once, or under a lock"),
	COUNTER(misses, "MISS/s", "those that were not in the cache: the file system was asked"),
	COL(refs, "HIT%", 8, "names that were in the cache", .text = ratio, .no_data = true),
	COL_DATA(interval.interval_ns, "length of the interval"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "rates every second" },
	{ "5 3", "three lines, each over five seconds" },
	{ "-p 181", "those of process 181" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "names looked up", { "refer", "refer_probe", "refer_constprop", "refer_isra" } },
	{ "searches of the cache", { "search", "search_probe" } },
	{ "names that the cache has not",
	  { "go_slow", "go_slow_probe" },
	  "misses of other calls than open(2) and those that create and remove names" },
	{ 0 },
};

static const struct applet dcstat = {
	.name = "dcstat",
	.summary = "count hits and misses of the directory entry cache",
	.doc = "Counts the names that paths are looked up by, one for each part of a path, and "
	       "those of them that the cache of directory entries does not have. A name that is "
	       "known not to exist is a hit too.\n\n"
	       "Traces every lookup: expect a few percent on a machine that opens many files.",
	.positionals = ARGS_EVERY_SECOND,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.run = run_stat,
};

APPLET(dcstat);
