/* Two applets over one program: kmem counts bytes, kpages pages. */
#define ROW struct kmem_row
#include "applet.h"
#include "kmem.h"
#include "out.h"

#define DEPTH 5 /* frames, unless for a flame graph: enough to tell who asked */

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_FOLDED('f'),
	OPT_OFFSET('s'),
	OPT(0, "stack-storage-size", "N", &common.stack_storage,
	    "keep this many different stacks (default 16384)", .min = 1, .max = 1 << 22),
	OPT(0, "perf-max-stack-depth", "N", &common.stack_depth,
	    "keep this many frames of a stack (default 5; with -f 127)", .min = 1, .max = 127),
	{ 0 },
};

static void check(void)
{
	if (!common.stack_depth && !common.folded)
		common.stack_depth = DEPTH;
}

static const void *with_average(struct run *run, const void *row, size_t *size)
{
	struct kmem_value *v = &((struct kmem_row *)row)->value;

	(void)run;
	(void)size;
	v->average = v->count ? v->bytes / v->count : 0;
	return row;
}

static void who(struct buf *b, const struct kmem_row *r)
{
	buf_fmt(b, "    %-16s ", "-");
	buf_safe(b, r->key.comm, strnlen(r->key.comm, COMM_LEN));
}

/* kmem */

static const struct column kmem_columns[] = {
	COL(key.kernel, "KERNEL", 0, "kernel frames, the innermost first", .as = AS_KSTACK),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(value.count, "COUNT", 0, "how many allocations"),
	COL(value.average, "AVERAGE", 0, "their average size, in bytes"),
	COL(value.bytes, "BYTES", 0, "their size, all together"),
	{ 0 },
};

static const struct example kmem_examples[] = {
	{ "10", "what the kernel allocates in ten seconds, and where" },
	{ "-p 181", "for process 181" },
	{ "-f 10", "whole stacks, for a flame graph" },
	{ 0 },
};

static const struct probe kmem_probes[] = {
	{ "kmalloc", { "kmalloc kmalloc_node?" } },
	{ "kmem_cache_alloc", { "cache_alloc cache_alloc_node?" } },
	{ 0 },
};

static void kmem_footer(struct buf *b, const struct column *cols, const void *row)
{
	struct kmem_row r;

	(void)cols;
	memcpy(&r, row, sizeof(r));
	who(b, &r);
	buf_fmt(b, "\n        count %llu, average %llu, total %llu\n\n", r.value.count,
		r.value.average, r.value.bytes);
}

static const struct applet kmem = {
	.name = "kmem",
	.summary = "sum up the kernel's slab allocations by stack",
	.doc = "Sums up the bytes that the kernel allocates by kmalloc() and from slab caches, by "
	       "the "
	       "stack that asked for them and the thread that it ran in. The bytes are those that "
	       "are taken, which may be more than were asked for. Objects that are allocated many "
	       "at once are not seen.\n\n"
	       "Walks a stack at every allocation: several microseconds, and there may be hundreds "
	       "of thousands a second.",
	.object = "kmem",
	.positionals = ARGS_DURATION,
	.options = options,
	.columns = kmem_columns,
	.examples = kmem_examples,
	.probes = kmem_probes,
	VALUE(value),
	.banner = "Tracing kernel memory allocations... Hit Ctrl-C to end.",
	.check = check,
	.event = with_average,
	.footer = kmem_footer,
	.sort = "bytes",
	.ascending = true,
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(kmem);

/* kpages */

static const struct column kpages_columns[] = {
	COL(key.kernel, "KERNEL", 0, "kernel frames, the innermost first", .as = AS_KSTACK),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(value.count, "COUNT", 0, "how many allocations"),
	COL(value.pages, "PAGES", 0, "their pages, all together: 2 to the order of each"),
	{ 0 },
};

static const struct example kpages_examples[] = {
	{ "10", "who takes pages, in ten seconds" },
	{ "-p 181", "for process 181" },
	{ "-f 10", "whole stacks, for a flame graph" },
	{ 0 },
};

static const struct probe kpages_probes[] = {
	{ "allocations of pages", { "page_alloc" } },
	{ 0 },
};

static void kpages_footer(struct buf *b, const struct column *cols, const void *row)
{
	struct kmem_row r;

	(void)cols;
	memcpy(&r, row, sizeof(r));
	who(b, &r);
	buf_fmt(b, "\n        %llu\n\n", r.value.pages);
}

static const struct applet kpages = {
	.name = "kpages",
	.summary = "sum up the kernel's page allocations by stack",
	.doc = "Sums up the pages that the kernel allocates, by the stack that asked for them and "
	       "the thread that it ran in. An allocation of order n is 2^n pages.\n\n"
	       "Walks a stack at every allocation: several microseconds each.",
	.object = "kmem",
	.positionals = ARGS_DURATION,
	.options = options,
	.columns = kpages_columns,
	.examples = kpages_examples,
	.probes = kpages_probes,
	VALUE(value),
	.banner = "Tracing page allocations... Hit Ctrl-C to end.",
	.check = check,
	.footer = kpages_footer,
	.sort = "pages",
	.ascending = true,
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(kpages);
