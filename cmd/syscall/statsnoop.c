#include <string.h>

#define ROW struct statsnoop_event
#include "applet.h"
#include "statsnoop.h"

static struct statsnoop_conf conf;
static bool sysname;

/* As the kernel's functions and tracepoints have them; the last are of 32-bit programs. */
static const char *const calls[] = {
	[STAT_STAT] = "newstat",    [STAT_LSTAT] = "newlstat",      [STAT_FSTATAT] = "newfstatat",
	[STAT_STATX] = "statx",     [STAT_STATFS] = "statfs",       [STAT_STAT64] = "stat64",
	[STAT_LSTAT64] = "lstat64", [STAT_FSTATAT64] = "fstatat64", [STAT_STATFS64] = "statfs64",
};

static const struct opt options[] = {
	OPT_TIMESTAMP('t'),
	OPT('s', "sysname", NULL, &sysname, "print the system call"),
	OPT('x', "failed", NULL, &conf.failed, "print failed calls only"),
	OPT_PID('p'),
	OPT('F', "full-path", NULL, &conf.full_path,
	    "print the full path where a relative one was passed"),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -14, "time of the return, since tracing began", .as = AS_ELAPSED,
	    .digits = 9, .show = &common.timestamp),
	COL(task.pid, "PID", -7, "process ID"),
	COL(task.comm, "COMM", -20, "thread name"),
	COL(fd, "FD", 4, "0, or -1 if the call failed"),
	COL(err, "ERR", 3, "error number (errno(3)), or 0"),
	COL(call, "SYSCALL", -10, "system call", NAMES(calls), .show = &sysname),
	COL(path.file, "PATH", 0,
	    "path as it was passed (nothing for calls about an open file), or with -F the full "
	    "path"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "lookups of attributes by every process" },
	{ "-x", "those that failed" },
	{ "-t -s", "with their times and calls" },
	{ "-p 181 -F", "those of process 181, with full paths" },
	{ 0 },
};

#define RETURNED_32(call) "returned_" #call "? returned_" #call "_32? "
#define ENTERED(call)     "enter_" #call "? leave_" #call "? "

static const struct probe probes[] = {
	{ "calls",
	  { RETURNED(statx) RETURNED_32(newstat) RETURNED_32(newlstat) RETURNED_32(newfstatat)
		    RETURNED_32(statfs) "returned_stat64? returned_lstat64? returned_fstatat64? "
					"returned_statfs64?",
	    "enter_statx leave_statx " ENTERED(newstat) ENTERED(newlstat) ENTERED(newfstatat)
		    ENTERED(statfs) } },
	{ 0 },
};

static const void *join(struct run *run, const void *event, size_t *size)
{
	static struct statsnoop_event e;

	(void)run;
	memcpy(&e, event, *size);
	path_event(&e.path, size);
	return &e;
}

static const struct applet statsnoop = {
	.name = "statsnoop",
	.summary = "trace lookups of file attributes",
	.doc = "Traces stat(2), lstat(2), fstatat(2), statx(2) and statfs(2), those of 32-bit "
	       "programs too, and prints a line when each returns. fstat(2), which has no name, "
	       "is shown where the C library makes it of fstatat(2), with an empty path.\n\n"
	       "Costs little unless there are many thousands of such calls a second.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.event = join,
	.run = run_events,
};

APPLET(statsnoop);
