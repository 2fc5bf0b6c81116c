#define ROW struct slowop_event
#include "applet.h"
#include "slowop.h"

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('a', "all-files", NULL, &slowop_conf.all,
	    "trace sockets, pipes and devices too, not regular files alone"),
	OPT('F', "full-path", NULL, &slowop_conf.full_path,
	    "print the full path, not the name alone"),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -14, "time of the return, since tracing began", .as = AS_ELAPSED,
	    .digits = 3),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(task.tid, "TID", -7, "thread ID"),
	COL(op, "D", -1, "R read, W write", .names = slowop_letters, .named = SLOWOP_LETTERS),
	COL(bytes, "BYTES", -7, "bytes that were asked for"),
	COL(lat_ns, "LAT(ms)", 10, "time from entry to return", .as = AS_MS, .digits = 3),
	COL(path.file, "FILENAME", 0, "name of the file, or with -F its full path"),
	COL_DATA(ret, "bytes read or written, or a negative error number (errno(3))"),
	COL_DATA(offset, "where in the file they begin"),
	COL_DATA(task.pid, "process ID"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "reads and writes slower than 10 ms" },
	{ "1", "those slower than 1 ms" },
	{ "0 -p 181", "all by process 181" },
	{ "-a", "those of sockets, pipes and devices too" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "reads", { "~read read_done", "read_probe read_probe_done" } },
	{ "writes", { "~write write_done", "write_probe write_probe_done" } },
	{ 0 },
};

static void banner(struct buf *b)
{
	slowop_banner(b, "sync read/writes");
}

static const struct applet fileslower = {
	.name = "fileslower",
	.summary = "trace reads and writes of files that are slow",
	.doc = "Prints each read and write of a file that takes longer than a threshold, as the "
	       "program waits for it: by read(2), write(2), pread(2) and pwrite(2), on any file "
	       "system. Those of readv(2), io_uring and asynchronous I/O go another way and are "
	       "not seen.\n\n"
	       "Costs a microsecond or so a read or write, of which there may be very many.",
	.options = options,
	.positionals = slowop_min_ms,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(slowop_conf),
	.banner_text = banner,
	.event = slowop_path,
	.run = run_events,
};

APPLET(fileslower);
