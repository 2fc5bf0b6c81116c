#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define ROW struct exitsnoop_event
#include "applet.h"
#include "clock.h"
#include "exitsnoop.h"
#include "signame.h"

static struct exitsnoop_conf conf;
static const char *label;
static bool utc, labelled, timespec;
static char time_head[32] = "TIME";

static void time_text(struct buf *b, const void *field, const void *row)
{
	u64 mono = *(const u64 *)field;

	(void)row;
	if (utc)
		clock_hms_utc(b, mono);
	else
		clock_hms(b, mono);
	buf_chr(b, '.');
	buf_digits(b, clock_wall(mono) / 1000000 % 1000, 3);
}

static void label_text(struct buf *b, const void *field, const void *row)
{
	(void)field;
	(void)row;
	if (label)
		buf_safe(b, *label ? label : "exit", strlen(*label ? label : "exit"));
}

static void reason_text(struct buf *b, const void *field, const void *row)
{
	const struct exitsnoop_event *e = row;

	(void)field;
	if (!e->signal) {
		buf_str(b, e->exit_code ? "code " : "");
		buf_u64(b, e->exit_code);
		return;
	}
	buf_str(b, "signal ");
	buf_u64(b, e->signal);
	buf_str(b, " (");
	buf_signal(b, e->signal);
	buf_str(b, e->core_dumped ? "), core dumped" : ")");
}

static const struct opt options[] = {
	OPT_TIMESTAMP('t'),
	OPT(0, "utc", NULL, &utc, "print timestamps in UTC, with or without -t"),
	OPT('p', "pid", "PID", &common.filter.pids,
	    "trace this process only (a list: 1,2,3), until it has exited"),
	OPT(0, "label", "TEXT", &label, "begin each line with TEXT, 'exit' if that is empty"),
	OPT('x', "failed", NULL, &conf.failed, "leave out exits with code 0"),
	OPT('T', "per-thread", NULL, &conf.threads, "print a line for each thread",
	    .also = "threaded"),
	OPT(0, "timespec", NULL, &timespec,
	    "accepted: the kernel's types say what a time of start is"),
	OPT_CGROUP('c'),
	OPT_EXEC,
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, time_head, -12, "time of the exit", .as = AS_TIME, .text = time_text,
	    .show = &common.timestamp),
	{ .key = "label",
	  .head = "LABEL",
	  .width = -5,
	  .help = "the TEXT of --label",
	  .type = COL_STRING,
	  .name = label_text,
	  .show = &labelled },
	COL(task.comm, "PCOMM", -16, "name of the process, with --per-thread of the thread"),
	COL(task.pid, "PID", -6, "process ID"),
	COL(ppid, "PPID", -6, "process ID of the parent"),
	COL(task.tid, "TID", -6, "thread ID: the process ID without --per-thread"),
	COL_DATA(task.uid, "user ID"),
	COL(age_ns, "AGE(s)", -7, "time since it was created", .as = AS_SECS, .digits = 2),
	COL(exit_code, "EXIT_CODE", 0, "exit code, or the signal that ended it",
	    .text = reason_text),
	COL_DATA(signal, "signal that ended it, or 0"),
	COL_DATA(core_dumped, "whether a core was dumped"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "exits of every process" },
	{ "-x", "those that failed: a code other than 0, or a signal" },
	{ "-t", "with timestamps" },
	{ "--utc", "the same in UTC" },
	{ "-p 181", "wait for process 181 to exit" },
	{ "--label=exit", "begin each line with 'exit'" },
	{ "--per-thread", "exits of threads too" },
	{ 0 },
};

/* The raw one first: for each pointer that a typed one follows the kernel searches its types by
 * name. */
static const struct probe probes[] = {
	{ "exits", { "exited_raw", "exited_typed" } },
	{ 0 },
};

static void check(void)
{
	time_t now = time(NULL);
	struct tm tm;

	common.timestamp |= utc;
	labelled = label;
	conf.until_end = common.filter.pids.n;
	if (utc)
		strcpy(time_head, "TIME-UTC");
	else
		strftime(time_head, sizeof(time_head), "TIME-%Z", localtime_r(&now, &tm));
}

/* How many of the processes of -p are still to come. */
static u32 left;

static void attached(struct run *run)
{
	struct bcc_ids *pids = &common.filter.pids;

	left = pids->n;
	for (u32 i = 0; i < pids->n; i++)
		if (kill(pids->id[i], 0) && errno == ESRCH && !--left)
			die("no process %u", pids->id[i]);
	(void)run;
}

static const void *end_after(struct run *run, const void *event, size_t *size)
{
	const struct exitsnoop_event *e = event;

	(void)size;
	if (e->last && left && !--left)
		run->deadline = clock_mono();
	return e->unasked ? NULL : event;
}

static const struct applet exitsnoop = {
	.name = "exitsnoop",
	.summary = "trace process exits",
	.doc = "Traces the exits of processes, with their age and the reason: exit code or signal. "
	       "A process exits with its last thread. The code is the one that its parent gets "
	       "from "
	       "wait(2).\n\n"
	       "Costs little unless many thousands of processes exit a second.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.attached = attached,
	.event = end_after,
	.run = run_events,
};

APPLET(exitsnoop);
