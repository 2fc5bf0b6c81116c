#define ROW struct vfsstat_row
#include "applet.h"
#include "clock.h"
#include "stat.h"
#include "vfsstat.h"

/* In the order of enum vfsstat_call. */
struct vfsstat_row {
	struct bcc_interval interval;
	u64 reads, writes, fsyncs, opens, creates, unlinks, mkdirs, rmdirs;
};

static const struct opt options[] = {
	OPT_PID('p'),
	{ 0 },
};

static void time_text(struct buf *b, const void *field, const void *row)
{
	(void)row;
	clock_hms(b, *(const u64 *)field);
	buf_chr(b, ':');
}

#define COUNTER(field, head, help)                                                                 \
	COL(field, head, 8, help ", a second; JSON and CSV have the number", .text = stat_rate)

static const struct column columns[] = {
	COL(interval.time, "TIME", -10, "end of the interval", .as = AS_TIME, .text = time_text),
	COUNTER(reads, "READ/s", "reads"),
	COUNTER(writes, "WRITE/s", "writes"),
	COUNTER(fsyncs, "FSYNC/s", "flushes of a file to its disk"),
	COUNTER(opens, "OPEN/s", "opens"),
	COUNTER(creates, "CREATE/s",
		"regular files made by mknod(2), NFS or overlayfs; open(2) has its own way and is "
		"in OPEN/s"),
	COUNTER(unlinks, "UNLINK/s", "removals of a name"),
	COUNTER(mkdirs, "MKDIR/s", "folders made"),
	COUNTER(rmdirs, "RMDIR/s", "folders removed"),
	COL_DATA(interval.interval_ns, "length of the interval"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "rates every second" },
	{ "5 3", "three lines, each over five seconds" },
	{ "-p 181", "those of process 181" },
	{ 0 },
};

#define CALL(function, call)                                                                       \
	{                                                                                          \
		call, { "on_" #function, "probe_" #function }, call                                \
	}

static const struct probe probes[] = {
	CALL(read, "reads"),   CALL(write, "writes"),   CALL(fsync_range, "fsyncs"),
	CALL(open, "opens"),   CALL(create, "creates"), CALL(unlink, "unlinks"),
	CALL(mkdir, "mkdirs"), CALL(rmdir, "rmdirs"),   { 0 },
};

static const struct applet vfsstat = {
	.name = "vfsstat",
	.summary = "count operations on files",
	.doc = "Counts calls of the VFS, the layer between system calls and file systems, and "
	       "prints "
	       "their rates every second. Calls that fail count too; reads and writes that have a "
	       "vector, as readv(2), or are handed over by io_uring, do not pass here.\n\n"
	       "Costs a counter a call: noticeable only where reads and writes number millions a "
	       "second.",
	.positionals = ARGS_EVERY_SECOND,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.run = run_stat,
};

APPLET(vfsstat);
