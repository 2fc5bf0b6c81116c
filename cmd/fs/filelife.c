#include <string.h>

#define ROW struct filelife_event
#include "applet.h"
#include "filelife.h"

static struct filelife_conf conf;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('F', "full-path", NULL, &conf.full_path, "print full paths"),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time of the deletion", .as = AS_TIME),
	COL(task.pid, "PID", -7, "process that deleted the file"),
	COL(task.comm, "COMM", -16, "name of its thread"),
	COL(age_ns, "AGE(s)", -7, "time since the file was created", .as = AS_SECS, .digits = 2),
	COL(path.file, "FILE", 0, "name of the file; with -F its path"),
	COL_DATA(task.tid, "thread that deleted the file"),
	COL_DATA(task.uid, "its user"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "files that are deleted, and how old they were" },
	{ "-F", "with their paths" },
	{ "-p 181", "those that process 181 deletes" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "files created by open(2)", { "open", "open_probe", "vfs_open_probe" } },
	{ "files created otherwise",
	  { "create_done", "create_probe create_probe_done" },
	  "files created by mknod(2) and the NFS server" },
	{ "deletions", { "unlink unlink_done", "unlink_probe unlink_probe_done" } },
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
	.summary = "trace files that are created and deleted again",
	.doc = "Prints a line for each regular file that is deleted and was created while tracing: "
	       "how old it was, and who deleted it. A file with several names is deleted with the "
	       "last of them; one that is replaced by rename(2) is not shown. On overlayfs the "
	       "file of the layer below is a file of its own.\n\n"
	       "With -F the path begins where the file system is mounted; if it is mounted at "
	       "several places, at one of them.\n\n"
	       "Costs little unless files are created many thousands of times a second.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.event = join,
	.run = run_events,
};

APPLET(filelife);
