#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROW struct syscount_row
#include "applet.h"
#include "clock.h"
#include "out.h"
#include "syscalls.h"
#include "syscount.h"

static struct syscount_conf conf;
static const char *only;
static bool ms, us, by_call = true, list;

/* -e: a number or a name, as errno(1) knows them. */
static int parse_errno(const char *arg, void *dst, char why[128])
{
	u64 number;

	if (parse_u64(arg, 4095, &number) && number) {
		*(s32 *)dst = number;
		return 0;
	}
	for (int i = 1; i < 4096; i++)
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), arg)) {
			*(s32 *)dst = i;
			return 0;
		}
	snprintf(why, 128, "not an error, such as ENOENT or 2");
	return -EINVAL;
}

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_TID('t'),
	OPT_PPID('c'),
	OPT_INTERVAL('i'),
	OPT_DURATION('d'),
	OPT('T', "top", "TOP", &common.rows, "print this many rows (default 10)", .min = 1),
	OPT('x', "failures", NULL, &conf.failures, "count calls that failed only"),
	OPT_PARSED('e', "errno", "ERRNO", parse_errno, &conf.err,
		   "count calls that failed with this error only, such as EPERM or 1"),
	OPT('L', "latency", NULL, &conf.latency, "sum up the time that calls took"),
	OPT('m', "milliseconds", NULL, &ms, "print milliseconds, not microseconds"),
	OPT('P', "process", NULL, &conf.by_process, "count by process, not by call"),
	OPT('l', "list", NULL, &list, "print the names of system calls and exit"),
	OPT(0, "syscall", "NAME", &only, "count this call only"),
	OPT_EXEC,
	{ 0 },
};

static void name_text(struct buf *b, const void *field, const void *row)
{
	const struct syscount_key *key = &((const struct syscount_row *)row)->key;
	const char *name = syscall_name(key->syscall, key->is_32);

	(void)field;
	if (key->syscall < 0)
		return;
	if (name)
		buf_str(b, name);
	else if (key->syscall < SYSCOUNT_UNKNOWN)
		buf_fmt(b, "syscall_%d", key->syscall);
	else
		buf_str(b, "[unknown]");
	if (key->is_32)
		buf_str(b, "/32");
}

static void us_text(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_fixed(b, *(const u64 *)field, 1000, 3);
}

static const struct column columns[] = {
	COL(key.syscall, "SYSCALL", -22, "name of the call; that of 32-bit programs ends in /32",
	    .show = &by_call, .name = name_text),
	COL(key.pid, "PID", -6, "process ID, with -P", .show = &conf.by_process),
	COL(total.comm, "COMM", -15, "process name, with -P", .show = &conf.by_process),
	COL(total.count, "COUNT", 8, "how many returned"),
	COL(total.total_ns, "TIME (us)", 16, "time from entry to return, with -L", .show = &us,
	    .text = us_text),
	COL(total.total_ns, "TIME (ms)", 16, "the same, with -m", .as = AS_MS, .digits = 6,
	    .show = &ms, .no_data = true),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "the ten most frequent calls, at Ctrl-C" },
	{ "-i 1", "the same, every second" },
	{ "-L -m", "the calls that took most time, in milliseconds" },
	{ "-P", "the processes that call most" },
	{ "-x -p 181", "calls of process 181 that failed" },
	{ "-e EPERM --syscall openat -P", "who is refused files" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "returns of system calls", { "leave", "leave_raw" } },
	{ "entries of system calls", { "enter", "enter_raw" }, .wanted = &conf.latency },
	{ "ends of threads", { "ended", "ended_raw" }, .wanted = &conf.latency },
	{ 0 },
};

static void check(void)
{
	if (list) {
		syscall_list(&out);
		out_flush();
		exit(0);
	}
	us = conf.latency && !ms;
	ms = conf.latency && ms; /* without -L there is no time to show, as in BCC */
	by_call = !conf.by_process;
	common.rows = common.rows ?: 10;
	if (!only)
		return;
	conf.one = true;
	conf.number = syscall_number(only, false);
	conf.number_32 = syscall_number(only, true);
	if (conf.number < 0 && conf.number_32 < 0)
		opt_error("--syscall: not a system call: %s (-l lists them)", only);
}

static void prepare(struct run *run)
{
	struct bpf_map *counters = bpf_object__find_map_by_name(run->obj, "counters");

	if (conf.by_process)
		bpf_map__set_max_entries(counters, 1);
	else
		rows_limit(run, "rows", 1);
	if (!conf.latency)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(run->obj, "begun"), 1);
}

/* A counter's number says which call it is, and of which kind. */
static const void *call_of(struct run *run, const void *row, size_t *size)
{
	struct syscount_key *key = (void *)row;

	(void)run;
	(void)size;
	if (by_call && key->syscall >= SYSCOUNT_CALLS) {
		key->syscall -= SYSCOUNT_CALLS;
		key->is_32 = true;
	}
	return row;
}

static void banner(struct buf *b)
{
	const char *failed = conf.failures || conf.err ? "failed " : "";

	if (only)
		buf_fmt(b, "Tracing %ssyscall '%s'... Ctrl+C to quit.\n", failed, only);
	else
		buf_fmt(b, "Tracing %ssyscalls, printing top %d... Ctrl+C to quit.\n", failed,
			common.rows);
}

static void report(struct run *run)
{
	static bool again;

	(void)run;
	if (out_mode != OUT_TEXT)
		return;
	if (again)
		buf_chr(&out, '\n');
	again = true;
	buf_chr(&out, '[');
	clock_hms(&out, clock_mono());
	buf_str(&out, "]\n");
}

static int compare(const void *a, const void *b)
{
	const struct syscount_total *x = &((const struct syscount_row *)a)->total;
	const struct syscount_total *y = &((const struct syscount_row *)b)->total;
	u64 i = conf.latency ? x->total_ns : x->count, j = conf.latency ? y->total_ns : y->count;

	return i < j ? 1 : i > j ? -1 : 0;
}

static const struct applet syscount = {
	.name = "syscount",
	.summary = "count system calls, their time and their errors",
	.doc = "Counts system calls when they return. What never returns is not counted, such as "
	       "exit, "
	       "nor is rt_sigreturn.\n\n"
	       "Traces every system call of the machine: a fraction of a microsecond each, about "
	       "twice that with -L.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	VALUE(total),
	.check = check,
	.prepare = prepare,
	.banner_text = banner,
	.report = report,
	.compare = compare,
	.counted = &by_call,
	.event = call_of,
	.run = run_table,
};

APPLET(syscount);
