#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW struct filetop_row
#include "applet.h"
#include "filetop.h"
#include "loadavg.h"
#include "out.h"

static struct filetop_conf conf;
static bool read_only, write_only, reading, writing;
static enum { BY_ALL, BY_READS, BY_WRITES, BY_READ_BYTES, BY_WRITE_BYTES } order;

static const char *const types[] = { "R", "S", "O" };

static int parse_sort(const char *arg, void *dst, char why[128])
{
	static const char *const names[] = { "all", "reads", "writes", "rbytes", "wbytes" };

	(void)dst;
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(arg, names[i])) {
			order = i;
			return 0;
		}
	snprintf(why, 128, "not one of all, reads, writes, rbytes, wbytes");
	return -EINVAL;
}

/*
 * The device of the file system that `fd` is on, as the kernel has it (major << 20 | minor); 0 if
 * that cannot be told. stat(2) has another for btrfs and overlayfs: proc_pid_mountinfo(5).
 */
static u32 device_of(int fd)
{
	char path[64], *info, *mounts, *line;
	unsigned major, minor, id, mount;
	u32 dev = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = read_file(path, 4096, NULL);
	mounts = read_file("/proc/self/mountinfo", 16 << 20, NULL);
	line = info ? strstr(info, "mnt_id:") : NULL;
	if (mounts && line && sscanf(line, "mnt_id: %u", &mount) == 1)
		for (line = mounts; line && !dev; line = strchr(line, '\n'), line += !!line)
			if (sscanf(line, "%u %*u %u:%u", &id, &major, &minor) == 3 && id == mount)
				dev = major << 20 | minor;
	free(info);
	free(mounts);
	return dev;
}

static int parse_folder(const char *arg, void *dst, char why[128])
{
	struct filetop_conf *c = dst;
	int fd = open(arg, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat status;
	int err = errno;

	if (fd >= 0 && !fstat(fd, &status) && (c->dev = device_of(fd))) {
		c->folder = status.st_ino;
		close(fd);
		return 0;
	}
	snprintf(why, 128, "not a folder that can be looked into: %s",
		 fd < 0 ? strerror(err) : "its device is unknown");
	return -EINVAL;
}

static const struct opt options[] = {
	OPT('a', "all-files", NULL, &conf.all_files,
	    "include files that are not regular: sockets, pipes, devices"),
	OPT_NOCLEAR('C'),
	OPT('r', "maxrows", "ROWS", &common.rows, "print this many rows at most (default 20)",
	    .min = 1),
	OPT_PARSED('s', "sort", "ORDER", parse_sort, &order,
		   "sort by: all (default, the bytes), reads, writes, rbytes, wbytes"),
	OPT_PID('p'),
	OPT(0, "read-only", NULL, &read_only, "count reads only"),
	OPT(0, "write-only", NULL, &write_only, "count writes only"),
	OPT_PARSED('d', "directory", "DIR", parse_folder, &conf,
		   "count files of this folder only, not of those below it"),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.tid, "TID", -7, "thread ID"),
	COL(value.comm, "COMM", -16, "thread name"),
	COL(value.reads, "READS", -6, "reads"),
	COL(value.writes, "WRITES", -6, "writes"),
	COL(value.read_bytes, "R_Kb", -7, "bytes read, in kilobytes of 1024", .as = AS_KB),
	COL(value.write_bytes, "W_Kb", -7, "bytes written, in kilobytes of 1024", .as = AS_KB),
	COL(key.type, "T", 1, "R regular file, S socket, O other", NAMES(types)),
	COL(value.file, "FILE", 0, "name of the file"),
	COL_DATA(value.pid, "process ID"),
	COL_DATA(key.inode, "inode number"),
	COL_DATA(key.dev, "its device, as major << 20 | minor"),
	COL_DATA(key.rdev, "the device that the file stands for, likewise"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "the files read and written most, every second" },
	{ "-C -r 5 10 3", "five of them, three times, over ten seconds" },
	{ "-s writes -p 181", "those of process 181, by the number of writes" },
	{ "-d /var/log", "those of one folder" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "reads", { "~read read_done", "read_probe read_probe_done" }, .wanted = &reading },
	{ "writes", { "~write write_done", "write_probe write_probe_done" }, .wanted = &writing },
	{ 0 },
};

static void check(void)
{
	if (read_only && write_only)
		opt_error("--read-only and --write-only exclude each other");
	reading = !write_only;
	writing = !read_only;
	common.rows = common.rows ?: 20;
}

static u64 rank(const void *row)
{
	const struct filetop_value *v = &((const struct filetop_row *)row)->value;

	switch (order) {
	case BY_READS: return v->reads;
	case BY_WRITES: return v->writes;
	case BY_READ_BYTES: return v->read_bytes;
	case BY_WRITE_BYTES: return v->write_bytes;
	default: return v->read_bytes + v->write_bytes;
	}
}

static int compare(const void *a, const void *b)
{
	u64 x = rank(a), y = rank(b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static void report(struct run *run)
{
	(void)run;
	if (out_mode == OUT_TEXT)
		buf_chr(&out, '\n');
	loadavg_line();
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing... Output every %d secs. Hit Ctrl-C to end.\n", common.interval ?: 1);
}

static const struct applet filetop = {
	.name = "filetop",
	.summary = "show the files that are read and written most, by thread",
	.doc = "Counts reads and writes of regular files in the VFS, the layer between system "
	       "calls and file systems, and the bytes that they return. Reads and writes that "
	       "have a vector, as readv(2), or are handed over by io_uring, do not pass here. A "
	       "file of several names is shown by the first that was used.\n\n"
	       "Traces every read and write: expect a few percent on a busy machine.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	VALUE(value),
	.check = check,
	.compare = compare,
	.banner_text = banner,
	.report = report,
	.run = run_top,
};

APPLET(filetop);
