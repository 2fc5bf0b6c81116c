/* ext4dist and its like: one applet for each file system. */
#define ROW struct fsdist_row
#include "applet.h"
#include "clock.h"
#include "fsdist.h"
#include "out.h"

static struct fsdist_conf conf;
static bool no_time, getattr;

static const char *const operations[] = { "read", "write", "open", "fsync", "getattr" };

static void quoted(struct buf *b, const void *field, const void *row)
{
	const struct fsdist_row *r = row;

	(void)field;
	buf_fmt(b, "'%s'", operations[r->operation]);
}

static const struct opt options[] = {
	OPT('T', "notimestamp", NULL, &no_time, "print no time before the reports of an interval"),
	OPT('m', "milliseconds", NULL, &conf.ms, "count milliseconds, not microseconds"),
	OPT_PID('p'),
	OPT(0, "getattr", NULL, &getattr, "trace stat(2) and its like too"),
	{ 0 },
};

static const struct column columns[] = {
	COL(operation, "operation", 0, "read, write, open, fsync or getattr", NAMES(operations),
	    .text = quoted),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "latency of operations until Ctrl-C" },
	{ "-p 181", "those of process 181" },
	{ "1 10", "ten reports, one a second" },
	{ "-m 5", "milliseconds, every five seconds" },
	{ 0 },
};

/* The functions are there once the file system is loaded; where it is a module, mounting does that.
 */
#define PROBE(fs, op, ...)                                                                         \
	{                                                                                          \
#op " of " fs " (is it loaded? mount one first)",                                  \
			{ "~" #op " " #op "_done", #op "_kprobe " #op "_kretprobe" },              \
			  ##__VA_ARGS__                                                            \
	}

static void report(struct run *run)
{
	(void)run;
	if (out_mode != OUT_TEXT)
		return;
	buf_chr(&out, '\n');
	if (common.interval && !no_time) {
		clock_hms(&out, clock_mono());
		buf_str(&out, ":\n");
	}
}

#define FSDIST(id, fs)                                                                             \
	static const struct probe id##_probes[] = {                                                \
		PROBE(fs, read),                                                                   \
		PROBE(fs, write),                                                                  \
		PROBE(fs, open),                                                                   \
		PROBE(fs, fsync),                                                                  \
		PROBE(fs, getattr, .wanted = &getattr),                                            \
		{ 0 },                                                                             \
	};                                                                                         \
	static const struct applet id = {                                                          \
		.name = #id,                                                                       \
		.summary = "show the latency of " fs " operations as histograms",                  \
		.doc = "Measures how long reads, writes, opens and fsyncs of files on " fs         \
		       " take, from the file system's beginning of them to its end. Most reads "   \
		       "and writes are those of the page cache; waits for a disk or a lock are "   \
		       "part of the time. The file system must be loaded when tracing begins: "    \
		       "mount one first.\n\n"                                                      \
		       "Costs a microsecond or so an operation.",                                  \
		.positionals = ARGS_INTERVAL_COUNT,                                                \
		.options = options,                                                                \
		.columns = columns,                                                                \
		.examples = examples,                                                              \
		.probes = id##_probes,                                                             \
		CONF(conf),                                                                        \
		.banner = "Tracing " fs " operation latency... Hit Ctrl-C to end.",                \
		VALUE(hist),                                                                       \
		.unit = { "usecs", "msecs", &conf.ms },                                            \
		.report = report,                                                                  \
		.run = run_hist,                                                                   \
	};                                                                                         \
	APPLET(id)

FSDIST(ext4dist, "ext4");
