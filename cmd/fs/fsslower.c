/* ext4slower and its like: one applet for each file system, and fsslower for any. */
#include <errno.h>
#include <stdio.h>

#define ROW struct slowop_event
#include "applet.h"
#include "filesystem.h"
#include "out.h"
#include "slowop.h"

static const char *type;
static const struct stand_in *functions = ext4_functions; /* of -t */
static bool any;                                          /* fsslower */

static int parse_type(const char *arg, void *dst, char why[128])
{
	functions = filesystem_functions(arg);
	*(const char **)dst = arg;
	if (functions)
		return 0;
	snprintf(why, 128, "not one of " FILESYSTEMS);
	return -EINVAL;
}

static bool fields; /* --csv */

/* BCC's letter of an fsync is S; that of fsslower of libbpf-tools is F. */
static void letter(struct buf *b, const void *field, const void *row)
{
	const struct slowop_event *e = row;

	(void)field;
	buf_str(b, e->op == FSOP_FSYNC && any ? "F" : slowop_letters[e->op]);
}

static void microseconds(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_u64(b, *(const u64 *)field / 1000);
}

#define OPT_FILESYSTEM(...)                                                                        \
	OPT_PARSED('t', "type", "FS", parse_type, &type, "trace this file system: " FILESYSTEMS,   \
		   ##__VA_ARGS__)
#define OPT_SHARED                                                                                 \
	OPT('m', "min", "MIN", &slowop_conf.min_ns, SLOWOP_MIN_HELP, .scale = 1000000,             \
	    .max = ~0ull / 1000000),                                                               \
		OPT_PID('p'), OPT_DURATION('d'),                                                   \
		OPT('F', "full-path", NULL, &slowop_conf.full_path,                                \
		    "print the full path, not the name alone")
#define OPT_CSV(l, ...)                                                                            \
	OPT(l, "csv", NULL, &common.csv,                                                           \
	    "print fields separated by commas, times in microseconds", ##__VA_ARGS__)

static const struct opt options[] = {
	OPT_CSV('j', .also = "c"), OPT_SHARED, OPT_FILESYSTEM(), { 0 }
};
static const struct opt options_f2fs[] = {
	OPT_CSV('s', .also = "c"), OPT_SHARED, OPT_FILESYSTEM(), { 0 }
};
static const struct opt options_any[] = {
	OPT_FILESYSTEM(.needed = true),
	OPT_CSV('c'),
	OPT_SHARED,
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time of the return", .as = AS_TIME),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(task.pid, "PID", -7, "process ID"),
	COL(op, "T", -1,
	    "R read, W write, O open, S fsync (F of fsslower), G lookup of attributes, C commit",
	    .names = slowop_letters, .named = SLOWOP_LETTERS, .text = letter),
	COL(bytes, "BYTES", -7, "bytes read or written"),
	COL(offset, "OFF_KB", -8,
	    "where in the file they begin, in kilobytes of 1024; of an fsync, where its range does",
	    .as = AS_KB),
	COL(lat_ns, "LAT(ms)", 10, "time from entry to return", .as = AS_MS, .digits = 3),
	COL(path.file, "FILENAME", 0, "name of the file, or with -F its full path"),
	COL_DATA(ret, "what was returned: bytes, 0 or a negative error number (errno(3))"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

#define FIELD(name_, field, ...)                                                                   \
	{                                                                                          \
		.key = name_, .type = COL_TYPE(((ROW *)0)->field), .offset = offsetof(ROW, field), \
		.size = sizeof(((ROW *)0)->field), ##__VA_ARGS__                                   \
	}

#define FIELDS                                                                                     \
	FIELD("TASK", task.comm), FIELD("PID", task.pid), FIELD("TYPE", op, .name = letter),       \
		FIELD("BYTES", bytes), FIELD("OFFSET_b", offset),                                  \
		FIELD("LATENCY_us", lat_ns, .name = microseconds), FIELD("FILE", path.file)

static const struct column csv[] = {
	FIELD("ENDTIME_us", task.time, .name = microseconds),
	FIELDS,
	{ 0 },
};

/* As libbpf-tools have it. */
static const struct column csv_any[] = {
	FIELD("ENDTIME_ns", task.time),
	FIELDS,
	{ 0 },
};

static const struct example examples[] = {
	{ "", "operations slower than 10 ms" },
	{ "1", "those slower than 1 ms" },
	{ "0 -p 181", "all by process 181" },
	{ "--csv 1", "as comma-separated fields" },
	{ 0 },
};

static const struct example examples_any[] = {
	{ "-t ext4", "operations of ext4 slower than 10 ms" },
	{ "-t xfs -m 0 -p 181", "all of XFS by process 181" },
	{ "-t btrfs -d 60 -c", "as comma-separated fields, for a minute" },
	{ 0 },
};

static const struct probe probes_any[] = {
	FILESYSTEM_PROBES("the file system"),
	{ 0 },
};

static void check(void)
{
	fields = out_mode == OUT_CSV;
}

static void check_any(void)
{
	any = true;
	check();
}

static void say(struct buf *b, const char *fs)
{
	char what[64];

	snprintf(what, sizeof(what), "%s operations", type ?: fs);
	slowop_banner(b, what);
}

#define AS_FIELDS(columns_)                                                                        \
	{                                                                                          \
		.columns = columns_, .event = slowop_path, .run = run_events                       \
	}

static const struct applet as_fields = AS_FIELDS(csv);
static const struct applet as_fields_any = AS_FIELDS(csv_any);

#define DOC(fs, also)                                                                              \
	"Prints each read, write, open" also " and fsync of a file on " fs                         \
	" that takes longer than a threshold, from the file system's beginning of it to its "      \
	"end. Most reads and writes are those of the page cache; waits for a disk or a lock "      \
	"are part of the time. The file system must be loaded when tracing begins: mount one "     \
	"first.\n\n"                                                                               \
	"Costs a microsecond or so an operation."

#define SHARED                                                                                     \
	.object = "fsslower", .columns = columns, CONF(slowop_conf), .event = slowop_path,         \
	.run = run_events, .use_other = &fields

#define FSSLOWER_OF(id, fs, functions_, options_, also, more, ...)                                 \
	static const struct stand_in *id##_functions = functions_;                                 \
	static const struct probe id##_probes[] = { FILESYSTEM_PROBES(fs), ##__VA_ARGS__, { 0 } }; \
	static void id##_banner(struct buf *b)                                                     \
	{                                                                                          \
		say(b, fs);                                                                        \
	}                                                                                          \
	static void id##_check(void)                                                               \
	{                                                                                          \
		if (type)                                                                          \
			id##_functions = functions;                                                \
		check();                                                                           \
	}                                                                                          \
	static const struct applet id = {                                                          \
		SHARED,                                                                            \
		.name = #id,                                                                       \
		.summary = "trace " fs " operations that are slow",                                \
		.doc = DOC(fs, also) more,                                                         \
		.options = options_,                                                               \
		.positionals = slowop_min_ms,                                                      \
		.examples = examples,                                                              \
		.other = &as_fields,                                                               \
		.stand_ins = &id##_functions,                                                      \
		.probes = id##_probes,                                                             \
		.check = id##_check,                                                               \
		.banner_text = id##_banner,                                                        \
	};                                                                                         \
	APPLET(id)

#define FSSLOWER(id, fs, functions) FSSLOWER_OF(id, fs, functions, options, "", "")

FSSLOWER(btrfsslower, "btrfs", btrfs_functions);
FSSLOWER(ext4slower, "ext4", ext4_functions);
FSSLOWER_OF(f2fsslower, "F2FS", f2fs_functions, options_f2fs, "", "");
FSSLOWER_OF(
	nfsslower, "NFS", nfs_functions, options, ", lookup of attributes",
	"\n\nA commit asks the server to have on its disk what it was sent before. It is of who "
	"syncs, or of the thread of the kernel that writes back; with -F its name begins at the "
	"root of the file system." NFS_OPENS,
	FILESYSTEM_PROBE("NFS", getattr, "calls of stat(2) and its like"),
	{ "commits of NFS", { "commit commit_done" }, "commits" });
FSSLOWER(xfsslower, "XFS", xfs_functions);
FSSLOWER(zfsslower, "ZFS", zfs_functions);

static void banner(struct buf *b)
{
	say(b, type);
}

static const struct applet fsslower = {
	SHARED,
	.name = "fsslower",
	.summary = "trace operations of a file system that are slow",
	.doc = DOC("a file system", ""),
	.options = options_any,
	.examples = examples_any,
	.stand_ins = &functions,
	.probes = probes_any,
	.check = check_any,
	.banner_text = banner,
	.other = &as_fields_any,
};

APPLET(fsslower);
