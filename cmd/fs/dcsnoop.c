#define ROW struct dcsnoop_event
#include "applet.h"
#include "dcsnoop.h"

static bool all;

static const char *const types[] = { "M", "R" };

static const struct opt options[] = {
	OPT('a', "all", NULL, &all, "print every name that is looked up, not misses only"),
	OPT_PID('p'),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -11, "time of the lookup, since tracing began", .as = AS_ELAPSED,
	    .digits = 6),
	COL(task.pid, "PID", -7, "process ID"),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(type, "T", -1, "M: not in the cache; R: looked up, with -a", NAMES(types)),
	COL(file, "FILE", 0, "name that was looked up: one part of a path"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "names that the cache does not have" },
	{ "-a", "every name that is looked up" },
	{ "-a -p 181", "those of process 181" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "names looked up",
	  { "refer", "refer_probe", "refer_constprop", "refer_isra" },
	  .wanted = &all },
	{ "searches of the cache", { "search", "search_probe search_probe_done" } },
	{ "names that the cache has not",
	  { "go_slow", "go_slow_probe" },
	  "misses of other calls than open(2) and those that create and remove names" },
	{ 0 },
};

static const struct applet dcsnoop = {
	.name = "dcsnoop",
	.summary = "trace lookups in the directory entry cache",
	.doc = "Prints the names of files that the cache of directory entries does not have: the "
	       "file system is asked then. With -a, every name that a path is looked up by, one "
	       "for each part of the path; a name that is known not to exist is in the cache "
	       "too.\n\n"
	       "-a prints a great many lines, and costs accordingly.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.run = run_events,
};

APPLET(dcsnoop);
