#include <string.h>

#define ROW struct futexctn_row
#include "applet.h"
#include "futexctn.h"
#include "stacks.h"

static struct futexctn_conf conf;
static bool with_stacks;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_TID('t'),
	OPT('l', "lock", "ADDRESS", &conf.lock, "trace the lock at this address only", .min = 1),
	OPT_TIMESTAMP('T'),
	OPT('m', "milliseconds", NULL, &conf.ms, "count milliseconds, not microseconds"),
	OPT('s', "summary", NULL, &conf.summary, "by lock and thread, not by stack"),
	OPT_STACKS,
	{ 0 },
};

static const struct column columns[] = {
	COL(key.user, "USER", 0, "user frames, the innermost first; none with -s", .as = AS_USTACK,
	    .show = &with_stacks),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(key.pid, "PID", 0, "process ID; not in text"),
	COL(key.tid, "TID", 0, "thread ID"),
	COL(key.lock, "lock", 0, "address of the lock in the process", .as = AS_HEX),
	COL_DATA(value.total_ns, "time that was waited; text has the average"),
	COL_DATA(value.max_ns, "the longest wait"),
	COL_DATA(value.min_ns, "the shortest"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "who waits for which locks, at Ctrl-C" },
	{ "-p 181 1 10", "threads of process 181, each second, ten times" },
	{ "-s -m", "by lock and thread alone, in milliseconds" },
	{ "-l 0x7f5a12a04b80 -T", "one lock, with the time" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "calls of futex(2)", { "enter_futex leave_futex" } },
	{ 0 },
};

static void check(void)
{
	with_stacks = !conf.summary;
}

static struct run *tracing;

static void attached(struct run *run)
{
	tracing = run;
}

static bool print_lock(struct buf *b, const void *row)
{
	u64 ns = conf.ms ? 1000000 : 1000, n;
	const char *unit = conf.ms ? "msecs" : "usecs";
	struct futexctn_row r;

	memcpy(&r, row, sizeof(r));
	n = hist_count(&r.value.hist);
	buf_chr(b, '\n');
	buf_safe(b, r.key.comm, strnlen(r.key.comm, COMM_LEN));
	buf_fmt(b,
		"[%u] lock 0x%llx contended %llu times, %llu avg %s [max: %llu %s, min %llu %s]\n",
		r.key.tid, r.key.lock, n, r.value.total_ns / n / ns, unit, r.value.max_ns / ns,
		unit, r.value.min_ns / ns, unit);
	if (!conf.summary) {
		buf_str(b, "    -\n");
		stack_list(b, stacks_named(), r.key.pid, stack_user(tracing, r.key.user));
		buf_str(b, "    -\n");
	}
	hist_log2_text(b, unit, 0, r.value.hist.slots);
	return true;
}

static const struct applet futexctn = {
	.name = "futexctn",
	.summary = "measure contention for locks of user space",
	.doc = "Measures how long threads sleep in futex(2) for a lock that another thread has, as "
	       "histograms by thread, lock and user stack. Mutexes of pthreads wait so, with or "
	       "without inheritance of priority; condition variables, semaphores and joins wait by "
	       "other operations and are not counted, nor is waiting that ends by a signal or a "
	       "timeout. The histograms with most time come last.\n\n"
	       "User stacks are walked by frame pointers. Calls of 32-bit programs are not "
	       "seen.\n\n"
	       "Costs nothing where no lock is contended; else a microsecond or two for each wait.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.banner = "Summarize futex contention latency, hit Ctrl-C to end.",
	VALUE(value),
	.unit = { "usecs", "msecs", &conf.ms },
	.check = check,
	.attached = attached,
	.line = print_lock,
	.run = run_hist,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(futexctn);
