#define ROW struct biopattern_row
#include "applet.h"
#include "biopattern.h"
#include "clock.h"

static struct biopattern_conf conf;
static bool timed;

static const struct opt options[] = {
	OPT_DISK('d', &conf.disk),
	OPT('T', "timestamp", NULL, &timed, "accepted: the time is printed anyway"),
	OPT_PID(0),
	{ 0 },
};

static const struct column columns[] = {
	COL(value.time, "TIME", -9, "time of the report", .as = AS_TIME),
	COL(key.disk, "DISK", -7, "disk"),
	COL(value.random_percent, "%RND", 5, "random I/O, in percent"),
	COL(value.sequential_percent, "%SEQ", 5, "sequential I/O, in percent"),
	COL(value.count, "COUNT", 8, "requests"),
	COL(value.bytes, "KBYTES", 10, "their size, in kilobytes of 1024", .as = AS_KB),
	COL_DATA(value.random, "random requests"),
	COL_DATA(value.sequential, "sequential requests"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "patterns of all disks until Ctrl-C" },
	{ "1 10", "ten reports, one a second" },
	{ "-d sdb 1", "one disk, every second" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "end of requests",
	  { "done_alone", "done_alone_raw" },
	  .unless = &common.filter.particular },
	{ "issue of requests to drivers",
	  { "issued", "issued_raw" },
	  .wanted = &common.filter.particular },
	{ "end of requests", { "done", "done_raw" }, .wanted = &common.filter.particular },
	{ "submitters of requests",
	  { "made_by", "made_by_raw", "made_of merge?", "made_of_raw merge_raw?" },
	  .wanted = &common.filter.particular },
	{ 0 },
};

static const void *percents(struct run *run, const void *event, size_t *size)
{
	struct biopattern_value *v = &((struct biopattern_row *)event)->value;

	(void)run;
	(void)size;
	v->time = clock_mono();
	v->count = v->random + v->sequential;
	if (!v->count)
		return NULL;
	v->random_percent = v->random * 100 / v->count;
	v->sequential_percent = v->sequential * 100 / v->count;
	return event;
}

static const struct applet biopattern = {
	.name = "biopattern",
	.summary = "show how much disk I/O is random and how much sequential",
	.doc = "Counts the requests of each disk in the order in which they are done: one that "
	       "begins where the one before it ended is sequential, any other is random. The "
	       "first of a disk is not counted, nor are flushes. Disks that work on several "
	       "requests at a time may end them in another order than they were asked to.\n\n"
	       "Costs little unless there are many thousands of requests a second.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.banner = "Tracing block device I/O requests... Hit Ctrl-C to end.",
	VALUE(value),
	.event = percents,
	.sort = "disk",
	.ascending = true,
	.run = run_table,
};

APPLET(biopattern);
