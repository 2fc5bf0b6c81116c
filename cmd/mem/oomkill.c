#include <stdlib.h>
#include <string.h>

#define ROW struct oomkill_event
#include "applet.h"
#include "clock.h"
#include "oomkill.h"
#include "stacks.h"

static const bool shown = true;

static const struct column columns[] = {
	COL(time, "TIME", -8, "time of the kill", .as = AS_TIME),
	COL(pid, "TRIGGERED BY", -7, "process that found no memory"),
	COL(comm, "COMM", -16, "name of its thread"),
	COL(killed_pid, "KILLED", -7, "process that is killed"),
	COL(killed_comm, "COMM", -16, "its name"),
	COL(pages, "PAGES", 10,
	    "pages that there are for all: of the machine, or of the control group and its swap"),
	COL_STACK(user, "USER", AS_USTACK, &shown, "user frames of what found no memory"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "out-of-memory kills" },
	{ "--json", "the same, a JSON object each" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "out-of-memory kills", { "~killed", "killed_probe" } },
	{ 0 },
};

static void who(struct buf *b, u32 pid, const char comm[COMM_LEN])
{
	buf_fmt(b, "PID %u (\"", pid);
	buf_safe(b, comm, strnlen(comm, COMM_LEN));
	buf_str(b, "\")");
}

static bool line(struct buf *b, const void *row)
{
	char *load = read_file("/proc/loadavg", 4096, NULL);
	const struct oomkill_event *e = row;

	clock_hms(b, e->time);
	buf_str(b, " Triggered by ");
	who(b, e->pid, e->comm);
	buf_str(b, ", OOM kill of ");
	who(b, e->killed_pid, e->killed_comm);
	buf_fmt(b, ", %llu pages, loadavg: %s", e->pages, load ?: "?\n");
	if (e->user.n)
		buf_str(b, "Stack trace:\n");
	free(load);
	return true;
}

static const struct applet oomkill = {
	.name = "oomkill",
	.summary = "trace out-of-memory kills",
	.doc = "Prints a line when the kernel kills a process since there is no memory left, on "
	       "the "
	       "machine or within the limit of a control group: whose allocation it was, with its "
	       "user frames, and who is killed for it. That may be the same process, and its "
	       "frames "
	       "then have no names: it is gone. Where a control group is killed as a whole "
	       "(memory.oom.group), the line names the process that was chosen.\n\n"
	       "Costs nothing: kills are rare.",
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.banner = "Tracing OOM kills... Ctrl-C to stop.",
	.line = line,
	.run = run_events,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(oomkill);
