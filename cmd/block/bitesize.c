#define ROW struct bitesize_row
#include "applet.h"
#include "bitesize.h"

static struct bitesize_conf conf;

static const struct opt options[] = {
	OPT_TIMESTAMP('T'),
	OPT('c', "comm", "NAME", &common.comm, "trace threads whose name contains NAME"),
	OPT_DISK('d', &conf.disk),
	OPT_PID(0),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.comm, "Process Name", 0,
	    "name of the thread that submitted it; ? if that was not seen"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "sizes of block I/O until Ctrl-C" },
	{ "1 10", "ten reports, one a second" },
	{ "-c fio", "I/O of threads whose name contains fio" },
	{ "-d sda", "I/O of one disk" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "issue of requests to drivers", { "issued", "issued_raw" } },
	{ "end of requests", { "done", "done_raw" } },
	{ "submitters of requests",
	  { "made_by", "made_by_raw", "made_of merge?", "made_of_raw merge_raw?" },
	  "who submitted a request" },
	{ 0 },
};

static const struct applet bitesize = {
	.name = "bitesize",
	.summary = "show the sizes of block I/O as histograms, by process name",
	.doc = "Counts the requests of disks by their size in kilobytes, under the name of the "
	       "thread that submitted them, when they are done. What is written back from the "
	       "page cache is submitted by a kernel thread. Flushes have no size and do not "
	       "count.\n\n"
	       "Costs little unless there are many thousands of requests a second.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.banner = "Tracing block I/O... Hit Ctrl-C to end.",
	VALUE(hist),
	.unit = { "Kbytes" },
	.run = run_hist,
};

APPLET(bitesize);
