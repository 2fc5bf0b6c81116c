#define ROW struct biosnoop_event
#include "applet.h"
#include "biosnoop.h"

static struct biosnoop_conf conf;
static bool queue, pattern, elapsed;
static u64 first; /* time of the first row */

static const char *const patterns[] = { "?", "S", "R" };

static void since_first(struct buf *b, const void *field, const void *row)
{
	const struct biosnoop_event *e = row;

	(void)field;
	first = first ?: e->task.time;
	buf_fixed(b, e->task.time > first ? e->task.time - first : 0, NSEC_PER_SEC, 6);
}

static const struct opt options[] = {
	OPT('Q', "queue", NULL, &queue, "print the time queued in the kernel", .also = "queued"),
	OPT_DISK('d', &conf.disk),
	OPT('P', "pattern", NULL, &pattern, "print whether I/O is sequential or random"),
	OPT('m', "min", "MS", &conf.min_ns, "print I/O of this latency or more only",
	    .max = 86400000, .scale = 1000000),
	OPT('t', "timestamp", NULL, &common.timestamp,
	    "print the time of day, not that since tracing began"),
	OPT_CGROUP('c'),
	OPT_PID(0),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -11, "time of the end, since the first row", .as = AS_ELAPSED,
	    .text = since_first, .show = &elapsed),
	COL(task.time, "TIME", -11, "time of day of the end, with -t", .as = AS_TIME,
	    .show = &common.timestamp, .no_data = true),
	COL(task.comm, "COMM", -14, "name of the thread that submitted it; ? if that was not seen"),
	COL(task.pid, "PID", -7, "process that submitted it"),
	COL(disk, "DISK", -9, "disk"),
	COL(op, "T", -1,
	    "R read, W write, D discard, E secure erase, Z write zeroes, F flush, or its number",
	    .names = disk_operations, .named = DISK_OPERATIONS),
	COL(sector, "SECTOR", -10, "first sector (of 512 bytes) on the disk"),
	COL(bytes, "BYTES", -7, "size in bytes"),
	COL(pattern, "P", -1,
	    "S: begins where the one issued before it ends; R: does not; ?: unknown",
	    .show = &pattern, NAMES(patterns)),
	COL(queue_ns, "QUE(ms)", 7, "time from submission to (last) issue to the driver",
	    .as = AS_MS, .digits = 2, .show = &queue),
	COL(lat_ns, "LAT(ms)", 7, "time from issue to its end", .as = AS_MS, .digits = 2),
	COL_DATA(task.tid, "thread that submitted it"),
	COL_DATA(task.uid, "user that submitted it"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "all block I/O" },
	{ "-Q", "with the time queued in the kernel" },
	{ "-d sdc", "one disk" },
	{ "-P", "with the pattern of I/O" },
	{ "-m 10", "I/O that took 10 ms or more" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "issue of requests to drivers", { "issued", "issued_raw" } },
	{ "end of requests", { "done", "done_raw" } },
	{ "submitters of requests",
	  { "made_by", "made_by_raw", "made_of merge?", "made_of_raw merge_raw?" },
	  "who submitted a request, and when" },
	{ 0 },
};

static void check(void)
{
	elapsed = !common.timestamp;
}

static const struct applet biosnoop = {
	.name = "biosnoop",
	.summary = "trace block I/O with the processes that submitted it",
	.doc = "Prints a line for each request of a disk when it is done: who submitted it, and "
	       "how "
	       "long it took. What is written back from the page cache is submitted by a kernel "
	       "thread, and so is what dm-crypt writes. A flush that goes with a write is a "
	       "request of its own. Disks that pass "
	       "their I/O on to others (device mapper, md) have no requests: it is those of the "
	       "disks below that are shown.\n\n"
	       "Costs little unless there are many thousands of requests a second.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.run = run_events,
};

APPLET(biosnoop);
