#define ROW struct mdflush_event
#include "applet.h"
#include "mdflush.h"

static const struct opt options[] = {
	OPT_PID(0),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time of the request", .as = AS_TIME),
	COL(task.pid, "PID", -7, "process that asked for it"),
	COL(task.comm, "COMM", -16, "name of its thread"),
	COL(device, "DEVICE", 0, "array"),
	COL_DATA(task.tid, "thread that asked for it"),
	COL_DATA(task.uid, "user that asked for it"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "flushes of software RAID arrays" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "flushes of md arrays (the module md_mod)", { "flush_request", "flush_request_kprobe" } },
	{ 0 },
};

static const struct applet mdflush = {
	.name = "mdflush",
	.summary = "trace flushes of software RAID arrays",
	.doc = "Prints a line each time an array of the md driver is asked to flush, by fsync(2) "
	       "or a journal for instance: all its disks then have to, which explains latency "
	       "that comes in bursts. The module md_mod must be loaded.\n\n"
	       "Costs next to nothing: flushes are rare.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.banner = "Tracing md flush requests... Hit Ctrl-C to end.",
	.run = run_events,
};

APPLET(mdflush);
