#include <errno.h>
#include <string.h>

#define ROW struct cachetop_row
#include "applet.h"
#include "cachetop.h"
#include "clock.h"
#include "out.h"
#include "pagecache.h"
#include "users.h"

static const struct column *sort_by;
static bool reverse;
static const struct column columns[];

/* --sort: a column by its head. */
static int parse_sort(const char *arg, void *dst, char why[128])
{
	(void)dst;
	for (const struct column *c = columns; c->key; c++)
		if (c->head && !strcasecmp(arg, c->head)) {
			sort_by = c;
			return 0;
		}
	snprintf(why, 128, "not the head of a column");
	return -EINVAL;
}

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_PARSED('s', "sort", "FIELD", parse_sort, &sort_by,
		   "sort by this column (default HITS)"),
	OPT('r', "reverse", NULL, &reverse, "print the smallest first"),
	OPT_NOCLEAR('C'),
	OPT_ROWS(0),
	{ 0 },
};

static void user_text(struct buf *b, const void *field, const void *row)
{
	u32 uid;

	(void)row;
	memcpy(&uid, field, sizeof(uid));
	user_name(b, uid);
}

static void percent(struct buf *b, u64 part, u64 all)
{
	buf_fmt(b, "%.1f%%", all ? 100.0 * part / all : 0.0);
}

static void read_text(struct buf *b, const void *field, const void *row)
{
	struct cachetop_row r;

	(void)field;
	memcpy(&r, row, sizeof(r));
	percent(b, r.value.read_hits, r.value.reads);
}

static void write_text(struct buf *b, const void *field, const void *row)
{
	struct cachetop_row r;

	(void)field;
	memcpy(&r, row, sizeof(r));
	percent(b, r.value.write_hits, r.value.writes);
}

static const struct column columns[] = {
	COL(key.pid, "PID", -8, "process ID"),
	COL(key.uid, "UID", -8, "user; JSON and CSV have the number", .text = user_text),
	COL(key.comm, "CMD", -16, "thread name"),
	COL(value.hits, "HITS", 8, "pages used or written to that were in the cache"),
	COL(value.misses, "MISSES", 8, "pages that were not: read from disk, or made for a write"),
	COL(value.dirties, "DIRTIES", 8,
	    "pages that were clean, or not there, and were written to"),
	COL(value.read_hits, "READ_HIT%", 10, "part of the pages used that was in the cache",
	    .text = read_text),
	COL(value.write_hits, "WRITE_HIT%", 10,
	    "part of the pages made dirty that was in the cache", .text = write_text),
	COL_DATA(value.reads, "pages used: read, or mapped by a page fault"),
	COL_DATA(value.writes, "pages made dirty"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "who uses the page cache, every five seconds" },
	{ "-s misses 1", "those who have most read from disk, every second" },
	{ "-p 181", "process 181" },
	{ 0 },
};

static void check(void)
{
	common.interval = common.interval ?: 5;
	sort_by = sort_by ?: col_find(columns, "hits");
}

static u64 without(u64 all, u64 part)
{
	return all > part ? all - part : 0;
}

static const void *with_hits(struct run *run, const void *row, size_t *size)
{
	struct cachetop_value v;

	(void)run;
	(void)size;
	memcpy(&v, (const char *)row + offsetof(ROW, value), sizeof(v));
	v.read_hits = without(v.count[CACHE_USED], v.count[CACHE_READ]);
	v.reads = v.read_hits + v.count[CACHE_READ];
	v.dirties = v.count[CACHE_DIRTIED];
	v.write_hits = without(v.dirties, v.count[CACHE_WRITTEN]);
	v.writes = v.write_hits + v.count[CACHE_WRITTEN];
	v.hits = v.read_hits + v.write_hits;
	v.misses = v.count[CACHE_READ] + v.count[CACHE_WRITTEN];
	memcpy((char *)row + offsetof(ROW, value), &v, sizeof(v));
	return row;
}

static int compare(const void *a, const void *b)
{
	int cmp = col_compare(sort_by, a, b);
	bool text = sort_by->type == COL_STRING; /* from A on, numbers from the largest */

	return reverse != text ? cmp : -cmp;
}

static void report(struct run *run)
{
	struct pagecache_size size;

	(void)run;
	if (out_mode != OUT_TEXT)
		return;
	pagecache_size(&size);
	buf_chr(&out, '\n');
	clock_hms(&out, clock_mono());
	buf_fmt(&out, " Buffers MB: %llu / Cached MB: %llu / Sort: %s / Order: %s\n",
		size.buffers >> 20, size.cached >> 20, sort_by->head,
		reverse ? "ascending" : "descending");
}

static const struct applet cachetop = {
	.name = "cachetop",
	.summary = "show hits and misses of the page cache by process",
	.doc = "Counts by process what cachestat counts for the machine, and the pages that it "
	       "writes "
	       "to: in the cache already, or made for it. Pages are a process's if it runs when "
	       "they "
	       "are used or read in; what it has read ahead counts as its misses.\n\n"
	       "READ_HIT% and WRITE_HIT% are parts of the reads and of the writes each, where "
	       "BCC's "
	       "are parts of their sum.\n\n"
	       "Costs a look-up for every read and for every page that is cached.",
	.positionals = ARGS_EVERY_5_SECONDS,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = pagecache_probes,
	VALUE(value),
	.check = check,
	.prepare = pagecache_prepare,
	.event = with_hits,
	.compare = compare,
	.report = report,
	.run = run_top,
};

APPLET(cachetop);
