/* ext4dist and its like: one applet for each file system, and fsdist for any. */
#include <errno.h>
#include <stdio.h>

#define ROW struct fsdist_row
#include "applet.h"
#include "clock.h"
#include "filesystem.h"
#include "fsdist.h"
#include "out.h"

static struct fsdist_conf conf;
static bool no_time, with_time, getattr;
static bool own_time; /* as BCC's tools: in reports of an interval, but with -T */
static const char *type;
static const struct stand_in *functions = ext4_functions; /* of -t */

static const char *const operations[] = { "read", "write", "open", "fsync", "getattr" };

static void quoted(struct buf *b, const void *field, const void *row)
{
	const struct fsdist_row *r = row;

	(void)field;
	buf_fmt(b, "'%s'", operations[r->operation]);
}

static int parse_type(const char *arg, void *dst, char why[128])
{
	functions = filesystem_functions(arg);
	*(const char **)dst = arg;
	if (functions)
		return 0;
	snprintf(why, 128, "not one of " FILESYSTEMS);
	return -EINVAL;
}

#define OPT_FILESYSTEM(...)                                                                        \
	OPT_PARSED('t', "type", "FS", parse_type, &type, "trace this file system: " FILESYSTEMS,   \
		   ##__VA_ARGS__)
#define OPT_COMMON                                                                                 \
	OPT('m', "milliseconds", NULL, &conf.ms, "count milliseconds, not microseconds"),          \
		OPT_PID('p')

#define OPT_NO_TIME                                                                                \
	OPT('T', "notimestamp", NULL, &no_time,                                                    \
	    "print no time before the reports of an interval"),                                    \
		OPT(0, "timestamp", NULL, &with_time, "print the time before each report")

static const struct opt options[] = {
	OPT_NO_TIME,
	OPT_COMMON,
	OPT_FILESYSTEM(),
	OPT(0, "getattr", NULL, &getattr, "trace stat(2) and its like too"),
	{ 0 },
};

#define OPT_TIME OPT('T', "timestamp", NULL, &with_time, "print the time before each report")

static const struct opt options_any[] = {
	OPT_FILESYSTEM(.needed = true),
	OPT_TIME,
	OPT_COMMON,
	{ 0 },
};

/* BCC has none: it is fsdist of libbpf-tools by another name. */
static const struct opt options_f2fs[] = {
	OPT_FILESYSTEM(),
	OPT_TIME,
	OPT_COMMON,
	{ 0 },
};

static const struct opt options_nfs[] = {
	OPT_NO_TIME,
	OPT_COMMON,
	OPT_FILESYSTEM(),
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

static const struct example examples_any[] = {
	{ "-t xfs", "latency of operations of XFS until Ctrl-C" },
	{ "-t ext4 -T 1 10", "ten reports, one a second, with the time" },
	{ "-t nfs -p 181", "those of process 181" },
	{ 0 },
};

static void report(struct run *run)
{
	(void)run;
	if (out_mode != OUT_TEXT)
		return;
	buf_chr(&out, '\n');
	if (with_time || (own_time && common.interval && !no_time)) {
		clock_hms(&out, clock_mono());
		buf_str(&out, own_time ? ":\n" : "\n");
	}
}

static void say(struct buf *b, const char *fs)
{
	buf_fmt(b, "Tracing %s operation latency... Hit Ctrl-C to end.\n", type ?: fs);
}

static void banner(struct buf *b)
{
	say(b, type);
}

#define DOC(fs, also)                                                                              \
	"Measures how long reads, writes, opens" also " and fsyncs of files on " fs                \
	" take, from the file system's beginning of them to its end. Most reads "                  \
	"and writes are those of the page cache; waits for a disk or a lock are "                  \
	"part of the time. The file system must be loaded when tracing begins: "                   \
	"mount one first.\n\n"                                                                     \
	"Costs a microsecond or so an operation."

#define SHARED                                                                                     \
	.object = "fsdist", .positionals = ARGS_INTERVAL_COUNT, .columns = columns, CONF(conf),    \
	VALUE(hist), .unit = { "usecs", "msecs", &conf.ms }, .report = report, .run = run_hist

#define FSDIST_OF(id, fs, functions_, options_, own_time_, also, ...)                              \
	static const struct stand_in *id##_functions = functions_;                                 \
	static void id##_check(void)                                                               \
	{                                                                                          \
		own_time = own_time_;                                                              \
		if (type)                                                                          \
			id##_functions = functions;                                                \
	}                                                                                          \
	static void id##_banner(struct buf *b)                                                     \
	{                                                                                          \
		say(b, fs);                                                                        \
	}                                                                                          \
	static const struct applet id = {                                                          \
		SHARED,                                                                            \
		.name = #id,                                                                       \
		.summary = "show the latency of " fs " operations as histograms",                  \
		.doc = DOC(fs, also) __VA_ARGS__,                                                  \
		.options = options_,                                                               \
		.examples = examples,                                                              \
		.stand_ins = &id##_functions,                                                      \
		.probes = id##_probes,                                                             \
		.check = id##_check,                                                               \
		.banner_text = id##_banner,                                                        \
	};                                                                                         \
	APPLET(id)

#define FSDIST(id, fs, functions)                                                                  \
	static const struct probe id##_probes[] = {                                                \
		FILESYSTEM_PROBES(fs), FILESYSTEM_PROBE(fs, getattr, .wanted = &getattr), { 0 }    \
	};                                                                                         \
	FSDIST_OF(id, fs, functions, options, true, "")

FSDIST(btrfsdist, "btrfs", btrfs_functions);
FSDIST(ext4dist, "ext4", ext4_functions);

/* With what the others trace if --getattr asks for it. */
#define PROBES_AND_GETATTR(id, fs)                                                                 \
	static const struct probe id##_probes[] = {                                                \
		FILESYSTEM_PROBES(fs),                                                             \
		FILESYSTEM_PROBE(fs, getattr, "calls of stat(2) and its like"),                    \
		{ 0 },                                                                             \
	}

PROBES_AND_GETATTR(f2fsdist, "F2FS");
FSDIST_OF(f2fsdist, "F2FS", f2fs_functions, options_f2fs, false, ", lookups of attributes");

PROBES_AND_GETATTR(nfsdist, "NFS");
FSDIST_OF(nfsdist, "NFS", nfs_functions, options_nfs, true, ", lookups of attributes", NFS_OPENS);

FSDIST(xfsdist, "XFS", xfs_functions);
FSDIST(zfsdist, "ZFS", zfs_functions);

PROBES_AND_GETATTR(fsdist, "the file system");

static const struct applet fsdist = {
	SHARED,
	.name = "fsdist",
	.summary = "show the latency of a file system's operations as histograms",
	.doc = DOC("a file system", ", lookups of attributes"),
	.options = options_any,
	.examples = examples_any,
	.stand_ins = &functions,
	.probes = fsdist_probes,
	.banner_text = banner,
};

APPLET(fsdist);
