#include <errno.h>
#include <string.h>

#define ROW struct biotop_row
#include "applet.h"
#include "biotop.h"
#include "load.h"

static struct biotop_conf conf;
static enum { BY_BYTES, BY_ALL, BY_IO, BY_TIME } order;

static const struct opt options[] = {
	OPT_NOCLEAR('C'),
	OPT('r', "maxrows", "ROWS", &common.rows, "print this many rows at most (default 20)",
	    .min = 1, .also = "rows"),
	OPT_PID('p'),
	OPT_DISK('d', &conf.disk),
	OPT_CHOICE('s', "sort", "ORDER", &order,
		   "sort by: bytes (default), io, time, all (their sum)", "bytes", "all", "io",
		   "time"),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.pid, "PID", -7, "process that submitted it"),
	COL(key.comm, "COMM", -16, "name of the thread that submitted it; ? if that was not seen"),
	COL(key.op, "D", -1,
	    "R read, W write, D discard, E secure erase, Z write zeroes, F flush, or its number",
	    .names = disk_operations, .named = DISK_OPERATIONS),
	COL(key.major, "MAJ", -3, "major number of the disk"),
	COL(key.minor, "MIN", -3, "minor number of the disk"),
	COL(key.disk, "DISK", -8, "disk"),
	COL(value.count, "I/O", 5, "requests done in the interval"),
	COL(value.bytes, "Kbytes", 7, "their size, in kilobytes of 1024", .as = AS_KB),
	COL(value.average_ns, "AVGms", 6, "time from issue to end, on average", .as = AS_MS,
	    .digits = 2),
	COL_DATA(value.total_ns, "the sum of these times"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "block I/O by process, every second" },
	{ "-C 5 3", "three reports of five seconds, without clearing the screen" },
	{ "-r 5 --sort time", "the five that kept disks busy longest" },
	{ "-p 181", "that of process 181" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "issue of requests to drivers", { "issued", "issued_raw" } },
	{ "end of requests", { "done", "done_raw" } },
	{ "submitters of requests",
	  { "made_by", "made_by_raw", "made_of merge?", "made_of_raw merge_raw?" },
	  "who submitted a request" },
	{ 0 },
};

static void check(void)
{
	common.rows = common.rows ?: 20;
}

static const void *average(struct run *run, const void *event, size_t *size)
{
	struct biotop_value *v = &((struct biotop_row *)event)->value;

	(void)run;
	(void)size;
	v->average_ns = v->count ? v->total_ns / v->count : 0;
	return event;
}

static u64 rank(const struct biotop_value *v)
{
	switch (order) {
	case BY_IO: return v->count;
	case BY_TIME: return v->total_ns;
	case BY_ALL: return v->count + v->bytes + v->total_ns / 1000;
	default: return v->bytes;
	}
}

static int compare(const void *a, const void *b)
{
	u64 x = rank(&((const struct biotop_row *)a)->value);
	u64 y = rank(&((const struct biotop_row *)b)->value);

	return x < y ? 1 : x > y ? -1 : 0;
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing... Output every %d secs. Hit Ctrl-C to end\n", common.interval ?: 1);
}

static const struct applet biotop = {
	.name = "biotop",
	.summary = "show which processes do most block I/O",
	.doc = "Counts the requests of disks, their size and their time, by the process that "
	       "submitted them. What is written back from the page cache is submitted by a kernel "
	       "thread. Disks that pass their I/O on to others (device mapper, md) have no "
	       "requests: it is those of the disks below that are shown.\n\n"
	       "Costs little unless there are many thousands of requests a second.",
	.positionals = ARGS_EVERY_SECOND,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	VALUE(value),
	.check = check,
	.event = average,
	.compare = compare,
	.banner_text = banner,
	.report = report_load,
	.run = run_top,
};

APPLET(biotop);
