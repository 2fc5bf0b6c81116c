#define ROW struct biostacks_row
#include "applet.h"
#include "biostacks.h"

static struct biostacks_conf conf;

static const struct opt options[] = {
	OPT_DISK('d', &conf.disk),
	OPT('m', "milliseconds", NULL, &conf.ms, "count milliseconds, not microseconds"),
	OPT_OFFSET(0),
	OPT_STACKS,
	{ 0 },
};

static const struct column columns[] = {
	COL(key.comm, "COMM", -14, "name of the thread that made the request"),
	COL(key.pid, "PID", -6, "its process ID"),
	COL(key.disk, "DISK", -7, "disk"),
	COL(key.kernel, "KERNEL", 0, "kernel frames where it was made, the innermost first",
	    .as = AS_KSTACK),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "why disks are used, and how long it takes, at Ctrl-C" },
	{ "10", "for ten seconds" },
	{ "-d sda -m", "one disk, in milliseconds" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "requests being made",
	  { "made merged", "made_for issued merged", "made_raw merged_raw",
	    "made_for_raw issued_raw merged_raw" } },
	{ "ends of requests", { "done", "done_raw" } },
	{ 0 },
};

static const struct applet biostacks = {
	.name = "biostacks",
	.summary = "measure disk I/O by the stack that asked for it",
	.doc = "Measures how long requests of disks take, from when they are made until they are "
	       "done, "
	       "as histograms by disk, thread and kernel stack: which code path asks for I/O, and "
	       "how "
	       "long it takes. Cached files are written back by the kernel's own threads. The "
	       "histograms with most time come last.\n\n"
	       "Walks a stack for every request.",
	.positionals = ARGS_DURATION,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.banner = "Tracing block I/O with init stacks. Hit Ctrl-C to end.",
	VALUE(hist),
	.unit = { "usecs", "msecs", &conf.ms },
	.run = run_hist,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(biostacks);
