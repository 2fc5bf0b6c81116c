#include <string.h>

#define ROW struct filegone_event
#include "applet.h"
#include "filegone.h"

static const char *const actions[] = { "DELETE", "RENAME" };

static void names(struct buf *b, const void *field, const void *row)
{
	const struct filegone_event *e = row;

	(void)field;
	buf_safe(b, e->file, strnlen(e->file, sizeof(e->file)));
	if (e->action != FILE_RENAME)
		return;
	buf_str(b, " > ");
	buf_safe(b, e->new_name, strnlen(e->new_name, sizeof(e->new_name)));
}

static const struct opt options[] = {
	OPT_PID('p'),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time of the call's return", .as = AS_TIME),
	COL(task.pid, "PID", -7, "process ID"),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(action, "ACTION", -6, "DELETE or RENAME", NAMES(actions)),
	COL(file, "FILE", 0, "name that is gone, and of a rename the new one after a >",
	    .text = names),
	COL_DATA(new_name, "new name, of a rename"),
	COL_DATA(folder, "whether it is a folder"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "files that are deleted or renamed, and by whom" },
	{ "-p 181", "those by process 181" },
	{ 0 },
};

#define PROBE(what, name)                                                                          \
	{                                                                                          \
		what,                                                                              \
		{                                                                                  \
			"~" #name " " #name "_done", #name "_probe " #name "_probe_done"           \
		}                                                                                  \
	}

static const struct probe probes[] = {
	PROBE("deletions of files", unlink),
	PROBE("deletions of folders", rmdir),
	PROBE("renames", rename),
	{ 0 },
};

static const struct applet filegone = {
	.name = "filegone",
	.summary = "trace files that are deleted or renamed",
	.doc = "Prints a line for each name of a file or folder that goes, by unlink(2), rmdir(2), "
	       "rename(2) and their like, once that has succeeded. On overlayfs what happens in "
	       "the layer below is shown too.\n\n"
	       "Costs little unless files go many thousands of times a second.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.run = run_events,
};

APPLET(filegone);
