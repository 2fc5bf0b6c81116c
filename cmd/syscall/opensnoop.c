#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define ROW struct opensnoop_event
#include "applet.h"
#include "opensnoop.h"

static struct opensnoop_conf conf;
static bool extended, by_process, by_thread;

static const struct {
	const char *name;
	u32 flag;
} flags[] = {
	{ "O_APPEND", O_APPEND },   { "O_ASYNC", O_ASYNC },       { "O_CLOEXEC", O_CLOEXEC },
	{ "O_CREAT", O_CREAT },     { "O_DIRECT", O_DIRECT },     { "O_DIRECTORY", O_DIRECTORY },
	{ "O_DSYNC", O_DSYNC },     { "O_EXCL", O_EXCL },         { "O_LARGEFILE", O_LARGEFILE },
	{ "O_NOATIME", O_NOATIME }, { "O_NOCTTY", O_NOCTTY },     { "O_NOFOLLOW", O_NOFOLLOW },
	{ "O_NDELAY", O_NDELAY },   { "O_NONBLOCK", O_NONBLOCK }, { "O_PATH", O_PATH },
	{ "O_SYNC", O_SYNC },       { "O_TMPFILE", O_TMPFILE },   { "O_TRUNC", O_TRUNC },
};

/* -f: flags are bits, but the access mode is a number of its own, and O_RDONLY is 0. */
static int parse_flag(const char *arg, void *dst, char why[128])
{
	static const char *const modes[] = { "O_RDONLY", "O_WRONLY", "O_RDWR" };
	struct opensnoop_conf *c = dst;

	c->any_flags = true;
	for (u32 i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(arg, modes[i])) {
			c->modes |= 1u << i;
			return 0;
		}
	for (u32 i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(arg, flags[i].name)) {
			c->flags |= flags[i].flag;
			return 0;
		}
	snprintf(why, 128, "not a flag of open(2), such as O_CREAT");
	return -EINVAL;
}

static const struct opt options[] = {
	OPT_TIMESTAMP('T'),
	OPT_PRINT_UID('U'),
	OPT('x', "failed", NULL, &conf.failed, "print failed opens only"),
	OPT_PID('p'),
	OPT_TID('t'),
	OPT_UID('u'),
	OPT_DURATION('d'),
	OPT_NAME('n'),
	OPT('e', "extended-fields", NULL, &extended, "print the flags and the mode"),
	OPT_PARSED('f', "flag-filter", "FLAG", parse_flag, &conf,
		   "print opens with this flag only, such as O_WRONLY; repeatable: any of them"),
	OPT('F', "full-path", NULL, &conf.full_path,
	    "print the full path where a relative one was passed"),
	OPT_BUFFER_PAGES('b'),
	OPT_EXEC,
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -14, "time of the return, since tracing began", .as = AS_ELAPSED,
	    .digits = 9, .show = &common.timestamp),
	COL(task.uid, "UID", -6, "user ID", .show = &common.print_uid),
	COL(task.pid, "PID", -6, "process ID", .show = &by_process),
	COL(task.tid, "TID", -6, "thread ID, in place of PID with -t", .show = &by_thread),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(fd, "FD", 4, "file descriptor, or -1 if the open failed"),
	COL(err, "ERR", 3, "error number (errno(3)), or 0"),
	COL(flags, "FLAGS", -8,
	    "flags passed, in octal; without O_LARGEFILE, which the kernel adds", .as = AS_OCTAL,
	    .digits = 8, .show = &extended),
	COL(mode, "MODE", -5, "mode passed, in octal; 0 unless the open may create a file",
	    .as = AS_OCTAL, .digits = 4, .show = &extended),
	COL(path, "PATH", 0, "path as it was passed, or with -F the full path"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "opens by every process" },
	{ "-d 10", "the same for ten seconds" },
	{ "-x", "opens that failed" },
	{ "-p 181 -T", "opens by process 181, with their times" },
	{ "-f O_WRONLY -f O_RDWR", "opens for writing" },
	{ "--json", "every field of every open, one JSON object a line" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "opens",
	  { "~opening opened",
	    "enter_open? leave_open? enter_creat? leave_creat? enter_openat leave_openat "
	    "enter_openat2? leave_openat2?" } },
	{ "opens by io_uring", { "uring_open uring_opened" }, "opens by io_uring" },
	{ 0 },
};

static void check(void)
{
	by_thread = common.filter.tids.n;
	by_process = !by_thread;
}

/* -F: the folders came nearest first; a path is written the other way round. */
static const void *join(struct run *run, const void *event, size_t *size)
{
	static struct opensnoop_event e;
	const struct opensnoop_event *in = event;
	const char *name = in->path, *end = in->path + in->name_len;
	size_t head = offsetof(struct opensnoop_event, path), at = sizeof(e.path);
	const char *folder = name + strnlen(name, in->name_len) + 1;

	(void)run;
	if (!conf.full_path || !in->name_len || *name == '/' || in->truncated)
		return event;
	memcpy(&e, in, head);
	at -= folder - name; /* the name and its NUL are the end */
	memcpy(e.path + at, name, folder - name);
	for (; folder < end; folder += strnlen(folder, end - folder) + 1) {
		size_t len = strnlen(folder, end - folder);

		e.path[--at] = '/';
		at -= len;
		memcpy(e.path + at, folder, len);
	}
	e.path[--at] = '/';
	memmove(e.path, e.path + at, sizeof(e.path) - at);
	*size = head + sizeof(e.path) - at;
	return &e;
}

static const struct applet opensnoop = {
	.name = "opensnoop",
	.summary = "trace file opens",
	.doc = "Traces open(2), creat(2), openat(2) and openat2(2), those of 32-bit programs and "
	       "of "
	       "io_uring too, and prints a line when each returns.\n\n"
	       "Costs little unless files are opened many thousands of times a second.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.event = join,
	.run = run_events,
};

APPLET(opensnoop);
