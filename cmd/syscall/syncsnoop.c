#define ROW struct syncsnoop_event
#include "applet.h"
#include "syncsnoop.h"

static const char *const calls[] = {
	[SYNC_SYNC] = "sync",
	[SYNC_FSYNC] = "fsync",
	[SYNC_FDATASYNC] = "fdatasync",
	[SYNC_MSYNC] = "msync",
	[SYNC_FILE_RANGE] = "sync_file_range",
	[SYNC_SYNCFS] = "syncfs",
};

static const struct opt options[] = {
	OPT_PID('p'),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -18, "time of the call, since tracing began", .as = AS_ELAPSED,
	    .digits = 9),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(call, "CALL", 0, "system call", NAMES(calls)),
	COL_DATA(task.pid, "process ID"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "who has data written to disk" },
	{ "-p 181", "the calls of process 181" },
	{ 0 },
};

#define BEGAN(call) "began_" #call "? began_" #call "_32? "

static const struct probe probes[] = {
	{ "sync(2)", { "began_sync began_sync_32?", "began_do_sync", "enter_sync" } },
	{ "calls for a file",
	  { "began_fsync began_fsync_32? began_ia32_sync_file_range? " BEGAN(fdatasync) BEGAN(msync)
		    BEGAN(sync_file_range) BEGAN(sync_file_range2) BEGAN(syncfs),
	    "enter_fsync enter_fdatasync? enter_msync? enter_sync_file_range? "
	    "enter_sync_file_range2? enter_syncfs?" } },
	{ 0 },
};

static const struct applet syncsnoop = {
	.name = "syncsnoop",
	.summary = "trace system calls that have data written to disk",
	.doc = "Prints a line for each sync(2), fsync(2), fdatasync(2), msync(2), "
	       "sync_file_range(2) and syncfs(2), those of 32-bit programs too, when it begins.\n\n"
	       "Costs next to nothing: these calls are rare, and slow themselves.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.untyped = true,
	.run = run_events,
};

APPLET(syncsnoop);
