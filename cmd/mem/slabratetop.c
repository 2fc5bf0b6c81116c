#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROW struct slabratetop_row
#include "applet.h"
#include "load.h"
#include "slabratetop.h"

static enum { BY_SIZE, BY_COUNT, BY_NAME } order;

static const struct opt options[] = {
	OPT_NOCLEAR('C'),
	OPT('r', "maxrows", "ROWS", &common.rows, "print this many rows at most (default 20)",
	    .min = 1, .also = "rows"),
	OPT_PID('p'),
	OPT_CHOICE('s', "sort", "ORDER", &order, "sort by: size (default), count, name", "size",
		   "count", "name"),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.cache, "CACHE", -32, "name of the slab cache"),
	COL(value.allocs, "ALLOCS", 6, "objects taken from it"),
	COL(value.bytes, "BYTES", 10, "their size in memory, all together"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "the caches that most bytes are taken from, every second" },
	{ "-C 5 3", "three reports of five seconds, without clearing the screen" },
	{ "-p 181 -s count", "those of process 181, by the number of objects" },
	{ 0 },
};

#define ALLOC(name)                                                                                \
	{                                                                                          \
		name "_noprof", name, name "_noprof_probe", name "_probe"                          \
	}

static const struct probe probes[] = {
	{ "allocations", ALLOC("alloc") },
	{ "allocations of inodes and the like (lru)", ALLOC("lru"), "before 5.18: there are none" },
	{ "allocations for a NUMA node", ALLOC("node"), "objects for a certain NUMA node" },
	{ "allocations of many at once", ALLOC("bulk"), "objects that are taken many at once" },
	{ 0 },
};

static int compare(const void *a, const void *b)
{
	struct slabratetop_row x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (order == BY_NAME)
		return strncmp(x.key.cache, y.key.cache, sizeof(x.key.cache));
	if (order == BY_COUNT)
		return x.value.allocs < y.value.allocs   ? 1
		       : x.value.allocs > y.value.allocs ? -1
							 : 0;
	return x.value.bytes < y.value.bytes ? 1 : x.value.bytes > y.value.bytes ? -1 : 0;
}

static void check(void)
{
	common.rows = common.rows ?: 20;
}

static const struct applet slabratetop = {
	.name = "slabratetop",
	.summary = "show allocations from the kernel's slab caches",
	.doc = "Counts the objects that are taken from each of the kernel's slab caches: of what "
	       "kind of things the kernel makes many. What kmalloc() gives out by size is not "
	       "among "
	       "them (see kmem). Caches of one name count as one, and so may those that the kernel "
	       "has merged, under one name of them.\n\n"
	       "Traces every allocation: a few percent where there are hundreds of thousands a "
	       "second.",
	.positionals = ARGS_EVERY_SECOND,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	VALUE(value),
	.check = check,
	.compare = compare,
	.report = report_load,
	.run = run_top,
};

APPLET(slabratetop);
