#define ROW struct brkstack_row
#include "applet.h"
#include "brkstack.h"

static struct brkstack_conf conf;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('a', "all", NULL, &conf.all,
	    "count calls that ask where the heap ends or shrink it, too"),
	OPT_FOLDED('f'),
	OPT_OFFSET('s'),
	OPT_STACKS,
	OPT_UNWIND,
	OPT_EXEC,
	{ 0 },
};

static const struct column columns[] = {
	COL(key.user, "USER", 0, "user frames, the innermost first", .as = AS_USTACK),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(key.pid, "PID", 0, "process ID"),
	COL(value.count, "COUNT", 0, "how many calls of brk(2)"),
	COL_DATA(value.bytes, "by how much they were to make the heap larger"),
	{ 0 },
};

static const struct example examples[] = {
	{ "10", "where heaps grow, in ten seconds" },
	{ "-p 181", "that of process 181" },
	{ "-f 30", "thirty seconds, for a flame graph" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "calls of brk(2)", { "brk" } },
	{ 0 },
};

static const struct applet brkstack = {
	.name = "brkstack",
	.summary = "count growth of heaps by user stack",
	.doc = "Counts the calls of brk(2) that ask for a larger heap, by the user stack that led "
	       "to them: where memory grows that malloc(3) seldom gives back. Large allocations, "
	       "and those of other threads than the first, come from mmap(2) instead.\n\n"
	       "User stacks are walked by frame pointers.\n\n"
	       "Costs next to nothing: brk(2) is rare.",
	.positionals = ARGS_DURATION,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	VALUE(value),
	.banner = "Tracing brk(2)... Hit Ctrl-C to end.",
	.sort = "count",
	.ascending = true,
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(brkstack);
