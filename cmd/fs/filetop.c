#include <errno.h>
#include <stdio.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#define ROW struct filetop_row
#include "applet.h"
#include "filetop.h"
#include "load.h"

static struct filetop_conf conf;
static enum { BY_ALL, BY_READS, BY_WRITES, BY_READ_BYTES, BY_WRITE_BYTES } order;

static const char *const types[] = { "R", "S", "O" };

/* Subvolumes of btrfs have numbers of their own for stat(2), which the kernel's inodes do not. */
static int parse_folder(const char *arg, void *dst, char why[128])
{
	struct filetop_conf *c = dst;
	struct statfs fs;
	struct stat st;

	if (stat(arg, &st) || statfs(arg, &fs) || !S_ISDIR(st.st_mode)) {
		snprintf(why, 128, "not a folder that is there");
		return -EINVAL;
	}
	c->in_folder = true;
	c->folder = st.st_ino;
	if (fs.f_type != BTRFS_SUPER_MAGIC)
		c->folder_dev = major(st.st_dev) << 20 | minor(st.st_dev);
	return 0;
}

static const struct opt options[] = {
	OPT('a', "all-files", NULL, &conf.all,
	    "count sockets, pipes and devices too, not regular files alone"),
	OPT_NOCLEAR('C'),
	OPT('r', "maxrows", "ROWS", &common.rows, "print this many rows at most (default 20)",
	    .min = 1, .also = "rows"),
	OPT_CHOICE('s', "sort", "ORDER", &order,
		   "sort by: all (default, the sum of the others), reads, writes, rbytes, wbytes",
		   "all", "reads", "writes", "rbytes", "wbytes"),
	OPT_PID('p'),
	OPT(0, "read-only", NULL, &conf.no_writes, "count reads only"),
	OPT(0, "write-only", NULL, &conf.no_reads, "count writes only"),
	OPT_PARSED('d', "directory", "DIR", parse_folder, &conf,
		   "count files of this folder only, not of those below it"),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.tid, "TID", -7, "thread ID"),
	COL(value.comm, "COMM", -16, "thread name"),
	COL(value.reads, "READS", -6, "reads in the interval"),
	COL(value.writes, "WRITES", -6, "writes in the interval"),
	COL(value.read_bytes, "R_Kb", -7, "kilobytes of 1024 that reads asked for", .as = AS_KB),
	COL(value.write_bytes, "W_Kb", -7, "kilobytes of 1024 that writes asked for", .as = AS_KB),
	COL(value.type, "T", -1, "R regular file, S socket, O other", NAMES(types)),
	COL(value.file, "FILE", 0, "name of the file"),
	COL_DATA(key.pid, "process ID"),
	COL_DATA(key.inode, "inode number"),
	COL_DATA(key.dev, "number of its device, as the kernel has it: major << 20 | minor"),
	COL_DATA(key.rdev, "of a device: its own number"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "files that are read and written, every second" },
	{ "-C 5 3", "three reports of five seconds, without clearing the screen" },
	{ "-s wbytes --write-only", "those most written to" },
	{ "-d /var/log", "files of one folder" },
	{ "-p 181 -a", "what process 181 reads and writes, sockets and pipes too" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "reads", { "read", "read_probe" } },
	{ "writes", { "write", "write_probe" } },
	{ 0 },
};

static void check(void)
{
	if (conf.no_reads && conf.no_writes)
		opt_error("--read-only and --write-only exclude each other");
	common.rows = common.rows ?: 20;
}

static u64 rank(const struct filetop_value *v)
{
	switch (order) {
	case BY_READS: return v->reads;
	case BY_WRITES: return v->writes;
	case BY_READ_BYTES: return v->read_bytes;
	case BY_WRITE_BYTES: return v->write_bytes;
	default: return v->reads + v->writes + v->read_bytes + v->write_bytes;
	}
}

static int compare(const void *a, const void *b)
{
	u64 x = rank(&((const struct filetop_row *)a)->value);
	u64 y = rank(&((const struct filetop_row *)b)->value);

	return x < y ? 1 : x > y ? -1 : 0;
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing... Output every %d secs. Hit Ctrl-C to end\n", common.interval ?: 1);
}

static const struct applet filetop = {
	.name = "filetop",
	.summary = "show which files are read and written most, and by whom",
	.doc = "Counts the reads and writes of files by thread and file, and the bytes they ask "
	       "for (what is read may be less), as the program calls them: by read(2), write(2), "
	       "pread(2) and pwrite(2), on any file system. Those of readv(2), io_uring and "
	       "asynchronous I/O go another way and are not seen.\n\n"
	       "Costs a look-up for each read and write, of which there may be very many.",
	.positionals = ARGS_EVERY_SECOND,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	VALUE(value),
	.check = check,
	.compare = compare,
	.banner_text = banner,
	.report = report_load,
	.run = run_top,
};

APPLET(filetop);
