#include <string.h>
#include <linux/bpf.h>
#include <linux/version.h>

#define ROW struct readahead_row
#include "applet.h"
#include "kernel.h"
#include "out.h"
#include "readahead.h"

static const struct opt options[] = {
	OPT_DURATION('d'),
	{ 0 },
};

static const struct column columns[] = {
	COL_DATA(value.pages, "pages that were read ahead"),
	COL_DATA(value.unused, "those that were not used so far, or not before they were dropped"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "how much of what is read ahead is of use, until Ctrl-C" },
	{ "-d 30", "for thirty seconds" },
	{ 0 },
};

#define USED_BY_MAPPING "use by mapped memory: such pages count as unused"

static const struct probe probes[] = {
	{ "readahead",
	  { "unbounded_begin unbounded_end", "unbounded_begin_probe unbounded_end_probe" } },
	{ "readahead of large folios",
	  { "order_begin order_end", "order_begin_probe order_end_probe" },
	  "large folios (5.18 and later)" },
	{ "pages that are added to the cache", { "added", "page_added", "added_probe" } },
	{ "pages that are removed from it", { "removed", "removed_raw" } },
	{ "pages that are read", { "accessed", "page_accessed", "accessed_probe" } },
	{ "pages that are mapped",
	  { "folio_mapped", "page_mapped", "folio_mapped_probe", "page_mapped_probe" },
	  USED_BY_MAPPING },
	{ 0 },
};

/* There may be many that wait for their use; before 6.1 such a map can deadlock in programs. */
static void prepare(struct run *run)
{
	struct bpf_map *ahead = bpf_object__find_map_by_name(run->obj, "ahead");

	if (kernel_release() < KERNEL_VERSION(6, 1, 0))
		return;
	bpf_map__set_map_flags(ahead, BPF_F_NO_PREALLOC);
	bpf_map__set_max_entries(ahead, 1 << 22); /* 16 GB of single pages */
}

static bool line(struct buf *b, const void *row)
{
	struct readahead_value v;

	memcpy(&v, (const char *)row + offsetof(ROW, value), sizeof(v));
	buf_fmt(b, "Read-ahead unused pages: %llu\n", v.unused);
	buf_str(b, "Histogram of read-ahead used page age (ms):\n");
	return false;
}

static const struct applet readahead = {
	.name = "readahead",
	.summary = "measure how much of what is read ahead is used, and when",
	.doc = "Counts the pages of files that the kernel reads before they are asked for, and the "
	       "time until each is used: read, or mapped into a process, where the kernel maps "
	       "some "
	       "pages around the one that is asked for. Pages that nobody used while this ran "
	       "count "
	       "as unused. The first page of a run, which somebody waits for, is read by the same "
	       "code and counts.\n\n"
	       "Traces every page that is read from the page cache: a few percent where these are "
	       "hundreds of thousands a second.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.prepare = prepare,
	.banner = "Tracing... Hit Ctrl-C to end.",
	VALUE(value),
	.unit = { "age (ms)" },
	.line = line,
	.run = run_hist,
};

APPLET(readahead);
