/* ext4slower and its like: one applet for each file system, and fsslower for any. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <bpf/btf.h>

#define ROW struct fsslower_event
#include "applet.h"
#include "filesystem.h"
#include "fsslower.h"
#include "out.h"

static struct fsslower_conf conf = { .min_ns = 10 * 1000000 };
static bool csv; /* in BCC's form */
static const char *type;
static const struct stand_in *functions = ext4_functions; /* of fsslower -t */

static const char *const operations[] = { "R", "W", "O", "S", "G", "C" };

static void letter(struct buf *b, const void *field, const void *row)
{
	const struct fsslower_event *e = row;

	(void)field;
	buf_str(b, type && e->op == FSOP_FSYNC ? "F" : operations[e->op]);
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

#define MS .max = 86400000, .scale = 1000000
#define OPT_OTHERS                                                                                 \
	OPT_PID('p'),                                                                              \
		OPT('m', "min", "MS", &conf.min_ns,                                                \
		    "print operations that take this many milliseconds or more (default 10); 0 "   \
		    "is all",                                                                      \
		    MS),                                                                           \
		OPT_DURATION('d'),                                                                 \
		OPT('F', "full-path", NULL, &conf.full_path, "print full paths"),                  \
	{                                                                                          \
		0                                                                                  \
	}

#define OPT_CSV(letter) OPT(letter, "csv", NULL, &common.csv, "print comma-separated values")

static const struct opt options[] = { OPT_CSV('j'), OPT_OTHERS };
static const struct opt options_f2fs[] = { OPT_CSV('s'), OPT_OTHERS };
static const struct opt options_any[] = {
	OPT_PARSED('t', "type", "FS", parse_type, &type, "trace this file system: " FILESYSTEMS,
		   .needed = true),
	OPT_CSV('c'),
	OPT_OTHERS,
};

static const struct opt positionals[] = {
	OPT(0, "min_ms", NULL, &conf.min_ns,
	    "print operations that take this many milliseconds or more (default 10); 0 is all", MS),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time of the return", .as = AS_TIME),
	COL(task.comm, "COMM", -14, "thread name"),
	COL(task.pid, "PID", -7, "process ID"),
	COL(op, "T", -1,
	    "R read, W write, O open, S fsync (F of fsslower), G lookup of attributes, C commit "
	    "of NFS",
	    NAMES(operations), .text = letter),
	COL(bytes, "BYTES", -7, "bytes read or written, or a negative error number (errno(3))"),
	COL(offset, "OFF_KB", -8, "where in the file, in kilobytes of 1024", .as = AS_KB),
	COL(lat_ns, "LAT(ms)", 7, "time it took, in the file system", .as = AS_MS, .digits = 2),
	COL(path.file, "FILENAME", 0, "name of the file; with -F its path"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

static void bcc_row(struct buf *b, const struct fsslower_event *e, u64 time)
{
	buf_u64(b, time);
	buf_chr(b, ',');
	buf_csv(b, e->task.comm, strnlen(e->task.comm, sizeof(e->task.comm)));
	buf_fmt(b, ",%u,", e->task.pid);
	letter(b, NULL, e);
	buf_fmt(b, ",%lld,%llu,%llu,", (long long)e->bytes, (unsigned long long)e->offset,
		(unsigned long long)e->lat_ns / 1000);
	buf_csv(b, e->path.file, e->path.len ? e->path.len - 1 : 0);
}

static void bcc_csv(struct buf *b, const void *field, const void *row)
{
	const struct fsslower_event *e = row;

	(void)field;
	bcc_row(b, e, e->task.time / 1000);
}

static void libbpf_csv(struct buf *b, const void *field, const void *row)
{
	const struct fsslower_event *e = row;

	(void)field;
	bcc_row(b, e, e->task.time);
}

static const struct column columns_csv[] = {
	COL(task.time, "ENDTIME_us,TASK,PID,TYPE,BYTES,OFFSET_b,LATENCY_us,FILE", 0, "",
	    .text = bcc_csv),
	{ 0 },
};

static const struct column columns_csv_any[] = {
	COL(task.time, "ENDTIME_ns,TASK,PID,TYPE,BYTES,OFFSET_b,LATENCY_us,FILE", 0, "",
	    .text = libbpf_csv),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "operations that take 10 ms or more" },
	{ "1", "those that take 1 ms or more" },
	{ "0 -p 181", "all of process 181" },
	{ "-j 1", "comma-separated values, microseconds" },
	{ 0 },
};

static const struct example examples_f2fs[] = {
	{ "", "operations that take 10 ms or more" },
	{ "0 -p 181", "all of process 181" },
	{ "-s 1", "comma-separated values, microseconds" },
	{ 0 },
};

static const struct example examples_any[] = {
	{ "-t ext4", "operations of ext4 that take 10 ms or more" },
	{ "-t xfs -m 1", "those of XFS that take 1 ms or more" },
	{ "-t nfs -m 0 -p 181", "all of process 181" },
	{ 0 },
};

#define PROBE(fs, op)                                                                              \
	{                                                                                          \
#op " of " fs " (is it loaded? mount one first)",                                  \
			{ "~" #op " " #op "_done", #op "_probe " #op "_probe_done" },              \
	}
#define PROBES(fs)                                                                                 \
	PROBE(fs, read), PROBE(fs, write),                                                         \
	{                                                                                          \
		"open of " fs,                                                                     \
		{                                                                                  \
			"~open open_done open_too? open_too_done?",                                \
				"open_probe open_probe_done open_too_probe? open_too_probe_done?"  \
		}                                                                                  \
	}

static const struct probe nfsslower_probes[] = {
	PROBES("NFS"),
	PROBE("NFS", getattr),
	{ "commits of NFS",
	  { "~commit commit_done", "commit_probe commit_probe_done" },
	  "commits" },
	{ 0 },
};

static const struct probe probes_any[] = {
	PROBES("the file system"),
	PROBE("the file system", fsync),
	{ 0 },
};

/* The CSV here is BCC's own: a text of one column. */
static void check(void)
{
	csv = common.csv;
	if (csv)
		out_mode = OUT_TEXT;
}

static const void *join(struct run *run, const void *event, size_t *size)
{
	static struct fsslower_event e;

	(void)run;
	memcpy(&e, event, *size);
	path_event(&e.path, size);
	return &e;
}

/* Of a type in a module, which is not among those that the programs are relocated by. */
static u32 offset_in_module(const char *module, const char *type_name, const char *member)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct btf *btf = kernel ? btf__load_module_btf(module, kernel) : NULL;
	int id = btf ? btf__find_by_name_kind(btf, type_name, BTF_KIND_STRUCT) : -1;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	u32 offset = 0;

	for (int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), member))
			offset = btf_member_bit_offset(t, i) / 8;
	btf__free(btf);
	btf__free(kernel);
	return offset;
}

static void prepare_nfs(struct run *run)
{
	conf.commit_inode = offset_in_module("nfs", "nfs_commit_data", "inode");
	object_set(run->obj, "conf", &conf, sizeof(conf));
}

static void say(struct buf *b, const char *fs)
{
	buf_fmt(b, "Tracing %s operations", fs);
	if (conf.min_ns)
		buf_fmt(b, " slower than %llu ms", (unsigned long long)conf.min_ns / 1000000);
	buf_str(b, "... Hit Ctrl-C to end.\n");
}

static void banner_any(struct buf *b)
{
	say(b, type);
}

#define DOC(fs, operations)                                                                        \
	"Prints the " operations " of files on " fs " that take long, when they end: from the "    \
	"file system's beginning of them to its end. Most reads and writes are those of the page " \
	"cache; waits for a disk or a lock are part of the time. The file system must be loaded "  \
	"when tracing begins: mount one first.\n\n"                                                \
	"--csv has the columns that BCC gives it.\n\n"                                             \
	"Costs a microsecond or so an operation, whether it is printed or not."

#define SHARED                                                                                     \
	.object = "fsslower", .columns = columns, CONF(conf), .event = join, .run = run_events,    \
	.use_other = &csv

#define FSSLOWER_OF(id, fs, functions_, options_, examples_, what, ...)                            \
	static const struct stand_in *const id##_functions = functions_;                           \
	static void id##_banner(struct buf *b)                                                     \
	{                                                                                          \
		say(b, fs);                                                                        \
	}                                                                                          \
	static const struct applet id = { SHARED,                                                  \
					  .other = &as_csv,                                        \
					  .name = #id,                                             \
					  .summary = "trace slow " fs " operations",               \
					  .doc = DOC(fs, what),                                    \
					  .options = options_,                                     \
					  .positionals = positionals,                              \
					  .examples = examples_,                                   \
					  .stand_ins = &id##_functions,                            \
					  .probes = id##_probes,                                   \
					  .check = check,                                          \
					  .banner_text = id##_banner,                              \
					  ##__VA_ARGS__ };                                         \
	APPLET(id)

#define FSSLOWER(id, fs, functions, options, examples)                                             \
	static const struct probe id##_probes[] = { PROBES(fs), PROBE(fs, fsync), { 0 } };         \
	FSSLOWER_OF(id, fs, functions, options, examples, "reads, writes, opens and fsyncs")

static const struct applet as_csv = { .columns = columns_csv, .event = join, .run = run_events };
static const struct applet any_as_csv = {
	.columns = columns_csv_any,
	.event = join,
	.run = run_events,
};

FSSLOWER(btrfsslower, "btrfs", btrfs_functions, options, examples);
FSSLOWER(ext4slower, "ext4", ext4_functions, options, examples);
FSSLOWER(f2fsslower, "F2FS", f2fs_functions, options_f2fs, examples_f2fs);
FSSLOWER_OF(nfsslower, "NFS", nfs_functions, options, examples,
	    "reads, writes, opens, lookups of attributes and commits", .prepare = prepare_nfs);
FSSLOWER(xfsslower, "XFS", xfs_functions, options, examples);
FSSLOWER(zfsslower, "ZFS", zfs_functions, options, examples);

static const struct applet fsslower = {
	SHARED,
	.other = &any_as_csv,
	.name = "fsslower",
	.summary = "trace slow operations of a file system",
	.doc = DOC("a file system", "reads, writes, opens and fsyncs"),
	.options = options_any,
	.examples = examples_any,
	.stand_ins = &functions,
	.probes = probes_any,
	.check = check,
	.banner_text = banner_any,
};

APPLET(fsslower);
