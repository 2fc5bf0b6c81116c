#include <string.h>

#define ROW struct fileslower_event
#include "applet.h"
#include "fileslower.h"

static struct fileslower_conf conf = { .min_ns = 10 * 1000000 };

static const char *const directions[] = { "R", "W" };

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('a', "all-files", NULL, &conf.all_files,
	    "include files that are not regular: sockets, pipes, devices"),
	OPT('F', "full-path", NULL, &conf.full_path, "print full paths"),
	OPT_DURATION('d'),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT(0, "min_ms", NULL, &conf.min_ns,
	    "print reads and writes that take this many milliseconds or more (default 10); 0 is "
	    "all",
	    .max = 86400000, .scale = 1000000),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -8, "time of the return, since tracing began", .as = AS_ELAPSED,
	    .digits = 3),
	COL(task.comm, "COMM", -14, "thread name"),
	COL(task.tid, "TID", -7, "thread ID"),
	COL(op, "D", -1, "R read, W write", NAMES(directions)),
	COL(bytes, "BYTES", -7, "bytes read or written, or a negative error number (errno(3))"),
	COL(lat_ns, "LAT(ms)", 7, "time it took", .as = AS_MS, .digits = 2),
	COL(path.file, "FILENAME", 0, "name of the file; with -F its path"),
	COL_DATA(task.pid, "process ID"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "reads and writes that take 10 ms or more" },
	{ "1", "those that take 1 ms or more" },
	{ "0 -p 181", "all of process 181" },
	{ "-a 100", "of sockets, pipes and devices too" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "reads", { "~read read_done", "read_probe read_probe_done" } },
	{ "writes", { "~write write_done", "write_probe write_probe_done" } },
	{ 0 },
};

static const void *join(struct run *run, const void *event, size_t *size)
{
	static struct fileslower_event e;

	(void)run;
	memcpy(&e, event, *size);
	path_event(&e.path, size);
	return &e;
}

static void banner(struct buf *b)
{
	buf_str(b, "Tracing sync read/writes");
	if (conf.min_ns)
		buf_fmt(b, " slower than %llu ms", (unsigned long long)conf.min_ns / 1000000);
	buf_str(b, "... Hit Ctrl-C to end.\n");
}

static const struct applet fileslower = {
	.name = "fileslower",
	.summary = "trace slow reads and writes of files",
	.doc = "Prints the reads and writes of regular files that take long, when they end. They "
	       "are timed in the VFS, the layer between system calls and file systems: what "
	       "programs wait for, whether it is a disk, a lock or the page cache. Reads and "
	       "writes that have a vector, as readv(2), or are handed over by io_uring, do not "
	       "pass here.\n\n"
	       "Traces every read and write: expect a few percent on a busy machine.",
	.options = options,
	.positionals = positionals,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.banner_text = banner,
	.event = join,
	.run = run_events,
};

APPLET(fileslower);
