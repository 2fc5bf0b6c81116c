#include <string.h>

#define ROW struct filelife_event
#include "applet.h"
#include "filelife.h"

static struct filelife_conf conf;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('F', "full-path", NULL, &conf.full_path, "print the full path, not the name alone"),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time of the deletion", .as = AS_TIME),
	COL(task.pid, "PID", -7, "process that deleted it"),
	COL(task.comm, "COMM", -16, "name of the thread that deleted it"),
	COL(age_ns, "AGE(s)", -7, "time since it was created", .as = AS_SECS, .digits = 2),
	COL(path.file, "FILE", 0, "name of the file, or with -F its full path"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "files that are created and deleted again" },
	{ "-p 181", "those that process 181 deletes" },
	{ "-F", "with their full paths" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "deletions", { "~unlink unlink_done", "unlink_probe unlink_probe_done" } },
	{ "creations by open(2)", { "open", "open_probe" } },
	{ "creations by mknod(2) and network servers", { "create" }, "files made by mknod(2)" },
	{ 0 },
};

static const void *join(struct run *run, const void *event, size_t *size)
{
	static struct filelife_event e;

	(void)run;
	memcpy(&e, event, *size);
	path_event(&e.path, size);
	return &e;
}

static const struct applet filelife = {
	.name = "filelife",
	.summary = "trace files that live for a short time, with their age",
	.doc = "Prints a line for each file that is deleted and was created since tracing began. "
	       "The 16384 files created last are kept in mind; files that are forgotten because "
	       "more were created are counted as lost starts. The path of -F is where the file's "
	       "file system was mounted first.\n\n"
	       "Costs little unless files come and go many thousands of times a second.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.event = join,
	.run = run_events,
};

APPLET(filelife);
