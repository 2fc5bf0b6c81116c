#define ROW struct pidpersec_row
#include "applet.h"
#include "clock.h"
#include "stat.h"

struct pidpersec_row {
	struct bcc_interval interval;
	u64 tasks;
};

static const struct column columns[] = {
	COL(interval.time, "TIME", -8, "end of the second", .as = AS_TIME),
	COL(tasks, "PIDs/sec", 8,
	    "processes and threads created, a second; JSON and CSV have the number",
	    .text = stat_rate),
	COL_DATA(interval.interval_ns, "length of the interval"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "new processes and threads, every second" },
	{ "--duration 10", "the same for ten seconds" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "new tasks", { "task_new", "task_new_raw", "task_fork" } },
	{ 0 },
};

static bool line(struct buf *b, const void *row)
{
	const struct pidpersec_row *r = row;

	clock_hms(b, r->interval.time);
	buf_str(b, ": PIDs/sec: ");
	stat_rate(b, &r->tasks, r);
	buf_chr(b, '\n');
	return true;
}

static const struct applet pidpersec = {
	.name = "pidpersec",
	.summary = "count new processes",
	.doc = "Counts the processes and threads that are created and prints their rate every "
	       "second. "
	       "A thread takes a PID of its own, so each counts, as do the kernel's threads.\n\n"
	       "Costs nothing that can be measured: a counter a fork.",
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.banner = "Tracing... Ctrl-C to end.",
	.line = line,
	.run = run_stat,
};

APPLET(pidpersec);
