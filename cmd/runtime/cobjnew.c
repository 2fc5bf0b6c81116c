#define ROW struct cobjnew_row
#include "applet.h"
#include "cobjnew.h"
#include "out.h"
#include "probe/probed.h"

static u32 top_count, top_size;

static const struct opt options[] = {
	OPT('C', "top-count", "N", &top_count, "print the N sizes most often asked for", .min = 1),
	OPT('S', "top-size", "N", &top_size, "print the N sizes with most bytes", .min = 1),
	OPT_LIST_PROBES(0),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT(0, "pid", NULL, &common.filter.pids, "the process", .needed = true),
	OPT(0, "interval", NULL, &common.interval, "seconds between reports", .min = 1),
	{ 0 },
};

static void block(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_fmt(b, "block size %llu", *(const u64 *)field);
}

static const struct column columns[] = {
	COL(size, "NAME/TYPE", -30, "bytes that were asked for at a time", .text = block),
	COL(value.count, "# ALLOCS", 8, "how often"),
	COL(value.bytes, "# BYTES", 12, "bytes, all together"),
	{ 0 },
};

static const struct example examples[] = {
	{ "181", "what process 181 allocates by malloc(), by size, at Ctrl-C" },
	{ "-C 10 181 5", "the ten sizes most often asked for, every five seconds" },
	{ 0 },
};

static void check(void)
{
	if (top_count && top_size)
		opt_error("-C and -S exclude each other");
	if (common.filter.pids.n > 1)
		opt_error("one process at a time");
	if (common.filter.pids.n)
		probed_add("c:malloc");
	probed_check();
}

static int by_choice(const void *a, const void *b)
{
	const struct cobjnew_row *x = a, *y = b;
	u64 p = top_count ? x->value.count : x->value.bytes;
	u64 q = top_count ? y->value.count : y->value.bytes;

	return p < q ? -1 : p > q ? 1 : x->size < y->size ? -1 : x->size > y->size;
}

/* The one with most comes last. */
static void print_top(struct run *run, const struct rows *rows, u64 now)
{
	size_t n = top_count ?: top_size;

	if (out_mode == OUT_TEXT)
		cols_header(&out, run->applet->columns, false);
	for (size_t i = n && n < rows->n ? rows->n - n : 0; i < rows->n; i++) {
		cols_row(&out, run->applet->columns, rows_at(rows, i), rows->size, now);
		out_row();
	}
}

static const struct applet cobjnew = {
	.name = "cobjnew",
	.summary = "count allocations of a C program by size",
	.doc = "Counts the calls of malloc(3) of libc in a process by the size that was asked for: "
	       "C has no types at that time. What a program allocates otherwise, calloc(3) among "
	       "it, is not in there.\n\n"
	       "Costs a microsecond or more for each malloc().",
	.options = options,
	.positionals = positionals,
	.columns = columns,
	.examples = examples,
	.untyped = true,
	.check = check,
	.prepare = probed_prepare,
	.attached = probed_attached,
	.banner = "Tracing allocations in process ... Ctrl-C to quit.",
	VALUE(value),
	.compare = by_choice,
	.print_rows = print_top,
	.run = run_table,
};

APPLET(cobjnew);
