#define ROW struct cachestat_row
#include "applet.h"
#include "cachestat.h"
#include "pagecache.h"
#include "stat.h"

/* In the order of enum pagecache. */
struct cachestat_row {
	struct bcc_interval interval;
	u64 used, misses, dirties, written;
	u64 hits, buffers, cached;
};

static const struct opt options[] = {
	OPT_TIMESTAMP('T'),
	{ 0 },
};

static void ratio_text(struct buf *b, const void *field, const void *row)
{
	const struct cachestat_row *r = row;
	u64 all = r->hits + r->misses;

	(void)field;
	buf_fmt(b, "%.2f%%", all ? 100.0 * r->hits / all : 0.0);
}

static void megabytes(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_u64(b, *(const u64 *)field >> 20);
}

static const struct column columns[] = {
	COL(interval.time, "TIME", -8, "end of the interval; with -T", .as = AS_TIME,
	    .show = &common.timestamp),
	COL(hits, "HITS", 8, "pages of files that were used and were in the cache"),
	COL(misses, "MISSES", 8, "pages that had to be read from disk"),
	COL(dirties, "DIRTIES", 8, "pages that were clean, or not there, and were written to"),
	COL(hits, "HITRATIO", 8, "part of the hits in hits and misses", .text = ratio_text,
	    .no_data = true),
	COL(buffers, "BUFFERS_MB", 12,
	    "memory that caches disks themselves; JSON and CSV have bytes", .text = megabytes),
	COL(cached, "CACHED_MB", 10, "memory that caches files; JSON and CSV have bytes",
	    .text = megabytes),
	COL_DATA(interval.interval_ns, "length of the interval"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "hits and misses every second" },
	{ "-T", "with the time" },
	{ "5 3", "three lines, each over five seconds" },
	{ 0 },
};

static const void *with_hits(struct run *run, const void *row, size_t *size)
{
	struct cachestat_row *r = (void *)row;
	struct pagecache_size memory;

	(void)run;
	(void)size;
	pagecache_size(&memory);
	r->hits = r->used > r->misses ? r->used - r->misses : 0;
	r->buffers = memory.buffers;
	r->cached = memory.cached;
	return row;
}

static const struct applet cachestat = {
	.name = "cachestat",
	.summary = "count hits and misses of the page cache",
	.doc = "Counts the pages of files that processes read, or have mapped by page faults (with "
	       "those around, which the kernel maps along), and the pages that were read from disk "
	       "meanwhile, for readahead too: the misses. What is left is the hits. A read counts "
	       "every page that it touches. Metadata of file systems does not count, nor do tmpfs "
	       "and O_DIRECT, which do without the cache.\n\n"
	       "BCC's tool takes for hits what is no read, such as the end of a process that had "
	       "files mapped, and for DIRTIES calls of a function for buffers that file systems "
	       "may "
	       "call several times a page, or never. Here they are pages, and those of "
	       "nr_dirtied in /proc/vmstat.\n\n"
	       "Costs a counter for every read and for every page that is cached.",
	.positionals = ARGS_EVERY_SECOND,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = pagecache_probes,
	.prepare = pagecache_prepare,
	.event = with_hits,
	.run = run_stat,
};

APPLET(cachestat);
