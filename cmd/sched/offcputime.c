/* Time off the CPU: offcputime, offwaketime, wakeuptime, offcpuhist. */
#define ROW struct offcputime_row
#include "applet.h"
#include "offcputime.h"
#include "stacks.h"

static struct blocked_conf conf = { .min_us = 1, .max_us = -1ull };
static u32 state = -1;
static bool user_only, kernel_only;

#define OPT_MIN                                                                                    \
	OPT('m', "min-block-time", "US", &conf.min_us,                                             \
	    "count blocking of US microseconds or longer (default 1)", .min = 1)
#define OPT_MAX                                                                                    \
	OPT('M', "max-block-time", "US", &conf.max_us,                                             \
	    "count blocking of US microseconds or shorter", .min = 1)
#define OPT_STATE                                                                                  \
	OPT(0, "state", "STATE", &state,                                                           \
	    "count blocking in these states: 1 interruptible, 2 not; 0 is preempted",              \
	    .max = 0xffff)
#define OPT_WHOSE                                                                                  \
	OPT('u', "user-threads-only", NULL, &conf.user_threads, "trace no kernel threads"),        \
		OPT('k', "kernel-threads-only", NULL, &conf.kernel_threads,                        \
		    "trace kernel threads only"),                                                  \
		OPT('U', "user-stacks-only", NULL, &user_only, "show user frames only"),           \
		OPT('K', "kernel-stacks-only", NULL, &kernel_only, "show kernel frames only")

static void check(void)
{
	bool named = common.filter.pids.n || common.filter.tids.n;

	if (common.filter.pids.n && common.filter.tids.n)
		opt_error("-p and -t exclude each other");
	if (conf.user_threads && conf.kernel_threads)
		opt_error("-u and -k exclude each other");
	if (named && (conf.user_threads || conf.kernel_threads))
		opt_error("-u and -k do not go with -p or -t");
	if (user_only && kernel_only)
		opt_error("-U and -K exclude each other");
	if (conf.kernel_threads && user_only)
		opt_error("-k with -U: kernel threads have no user stacks");
	if (conf.min_us > conf.max_us)
		opt_error("-m is more than -M");
	conf.kernel_stacks = !user_only;
	conf.user_stacks = !kernel_only;
	conf.by_state = state != (u32)-1;
	conf.state = conf.by_state ? state : 0;
}

static void banner(struct buf *b, const char *what)
{
	if (common.folded)
		return;
	buf_str(b, what);
	stacks_whose(b,
		     conf.user_threads     ? "user threads"
		     : conf.kernel_threads ? "kernel threads"
					   : "all threads",
		     user_only, kernel_only);
	if (common.duration)
		buf_fmt(b, " for %d secs.\n", common.duration);
	else
		buf_str(b, "... Hit Ctrl-C to end.\n");
}

static const struct probe probes[] = {
	{ "context switches", { "switched_state", "switched", "switched_raw" } },
	{ 0 },
};

static const struct probe probes_wake[] = {
	{ "context switches", { "switched_state", "switched", "switched_raw" } },
	{ "threads being woken", { "waking", "waking_raw" } },
	{ 0 },
};

static const struct opt options[] = {
	OPT_PID('p'),    OPT_TID('t'),    OPT_WHOSE,  OPT_DELIMITED('d'),
	OPT_FOLDED('f'), OPT_OFFSET('s'), OPT_STACKS, OPT_UNWIND,
	OPT_MIN,         OPT_MAX,         OPT_STATE,  { 0 },
};

static const struct column columns[] = {
	COL(key.kernel, "KERNEL", 0, "kernel frames, the innermost first", .as = AS_KSTACK,
	    .show = &conf.kernel_stacks),
	COL(key.user, "USER", 0, "user frames, the innermost first", .as = AS_USTACK,
	    .show = &conf.user_stacks),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(key.pid, "PID", 0, "process ID"),
	COL(key.tid, "TID", 0, "thread ID; in the text, after the name"),
	COL(off.us, "USECS", 0, "time off the CPU, in microseconds"),
	COL_DATA(off.count, "how often"),
	{ 0 },
};

static const struct example examples[] = {
	{ "5", "where threads blocked, for five seconds" },
	{ "-fKu 10", "kernel stacks of user threads, for a flame graph" },
	{ "--flamegraph off.svg 10", "the flame graph itself" },
	{ "-df -p 181 10", "both stacks of a process, folded, with a delimiter" },
	{ "-m 1000 -M 10000", "blocking of one to ten milliseconds" },
	{ "--state 2 10", "uninterruptible sleep: mostly waiting for disks" },
	{ 0 },
};

static const void *in_us(struct run *run, const void *event, size_t *size)
{
	struct offcputime_value *off = (void *)((char *)event + run->applet->value);

	(void)size;
	off->us = off->ns / 1000;
	return event;
}

static void off_banner(struct buf *b)
{
	banner(b, "Tracing off-CPU time (us) of ");
}

static const struct applet offcputime = {
	.name = "offcputime",
	.summary = "sum the time off the CPU by stack",
	.doc = "Shows where threads leave the CPU, and for how long until they are back on it: "
	       "blocked, and then waiting for their turn. What is still blocked at the end is not "
	       "counted. Threads are named as they were when they came back.\n\n"
	       "User stacks are walked by frame pointers; those that end early are marked "
	       "[truncated], and counted at the end. Names are looked up at the end; those of "
	       "processes that live for less than 20 ms may be missing.\n\n"
	       "Traces every context switch and walks two stacks at each that is wanted: measure "
	       "the cost on a busy machine before leaving it on; -p, -K and -U lower it, -m does "
	       "not.",
	.positionals = ARGS_DURATION,
	.options = options,
	.columns = columns,
	.examples = examples,
	.banner_text = off_banner,
	.event = in_us,
	VALUE(off),
	.sort = "us",
	.ascending = true,
	.run = run_stacks,
	.probes = probes,
	CONF(conf),
	.check = check,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(offcputime);

/* offwaketime */

#undef ROW
#define ROW struct offwaketime_row

static const struct opt wake_options[] = {
	OPT_PID('p'), OPT_TID('t'), OPT_WHOSE, OPT_DELIMITED('d'), OPT_FOLDED('f'), OPT_STACKS,
	OPT_UNWIND,   OPT_MIN,      OPT_MAX,   OPT_STATE,          { 0 },
};

static const struct column wake_columns[] = {
	COL(key.w_user, "W_USER", 0, "the waker's user frames", .as = AS_USTACK, .owner = "w_pid",
	    .show = &conf.user_stacks),
	COL(key.w_kernel, "W_KERNEL", 0, "the waker's kernel frames", .as = AS_KSTACK,
	    .show = &conf.kernel_stacks),
	COL(key.t_kernel, "T_KERNEL", 0, "the target's kernel frames", .as = AS_KSTACK,
	    .show = &conf.kernel_stacks),
	COL(key.t_user, "T_USER", 0, "the target's user frames", .as = AS_USTACK, .owner = "t_pid",
	    .show = &conf.user_stacks),
	COL(key.waker, "WAKER", 0, "name of the thread that woke it; empty if none did"),
	COL(key.w_pid, "W_PID", 0, "process of the waker"),
	COL(key.w_tid, "W_TID", 0, "thread ID of the waker; in the text, after the name"),
	COL(key.target, "TARGET", 0, "name of the thread that was off the CPU"),
	COL(key.t_pid, "T_PID", 0, "its process"),
	COL(key.t_tid, "T_TID", 0, "its thread ID; in the text, after the name"),
	COL(off.us, "USECS", 0, "time off the CPU, in microseconds"),
	COL_DATA(off.count, "how often"),
	{ 0 },
};

/* Below the middle line the target, as ever; above it the waker, upside down: it meets the target
 * where it wakes it. */
static const struct stack_layout wake_layout = {
	.list =
		(const struct stack_part[]){
			{ PART_NAME, "waker", .label = "waker:", .id = "w_tid" },
			{ PART_USER, "w_user", .flip = true },
			{ PART_DASH, "-" },
			{ PART_KERNEL, "w_kernel", .flip = true },
			{ PART_TEXT, "--               --" },
			{ PART_KERNEL, "t_kernel" },
			{ PART_DASH, "-" },
			{ PART_USER, "t_user" },
			{ PART_NAME, "target", .label = "target:", .id = "t_tid" },
			{ 0 },
		},
	.fold =
		(const struct stack_part[]){
			{ PART_NAME, "target", .id = "t_pid" },
			{ PART_USER, "t_user" },
			{ PART_DASH, "-" },
			{ PART_KERNEL, "t_kernel" },
			{ PART_TEXT, "--" },
			{ PART_KERNEL, "w_kernel", .flip = true },
			{ PART_DASH, "-" },
			{ PART_USER, "w_user", .flip = true },
			{ PART_NAME, "waker", .id = "w_pid" },
			{ 0 },
		},
};

static const struct example wake_examples[] = {
	{ "5", "what threads waited for, and who ended it, for five seconds" },
	{ "-f -p 181 10", "of one process, folded" },
	{ "--flamegraph wake.svg -u 10", "a flame graph: targets from below, their wakers on top" },
	{ 0 },
};

static void wake_banner(struct buf *b)
{
	banner(b, "Tracing blocked time (us) of ");
}

static const struct applet offwaketime = {
	.name = "offwaketime",
	.summary = "sum the time off the CPU by stack and by the stack of the waker",
	.doc = "Shows where threads leave the CPU and for how long, as offcputime, together with "
	       "the stack of whoever woke them: what they waited for. Time of threads that were "
	       "preempted has no waker.\n\n"
	       "Filters are about the thread that was off the CPU. A waker in an interrupt is "
	       "named after the thread that was interrupted.\n\n"
	       "Traces every context switch and every wakeup, with two stacks at each that is "
	       "wanted: measure the cost before leaving it on.",
	.positionals = ARGS_DURATION,
	.options = wake_options,
	.columns = wake_columns,
	.examples = wake_examples,
	.layout = &wake_layout,
	.banner_text = wake_banner,
	.event = in_us,
	VALUE(off),
	.sort = "us",
	.ascending = true,
	.run = run_stacks,
	.probes = probes_wake,
	CONF(conf),
	.check = check,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(offwaketime);

/* wakeuptime */

#undef ROW
#define ROW struct wakeuptime_row

static const struct opt wakeup_options[] = {
	OPT('u', "useronly", NULL, &conf.user_threads, "trace no kernel threads",
	    .also = "user-threads-only"),
	OPT_PID('p'),
	OPT('v', "verbose", NULL, &common.addresses, "print raw addresses before the names"),
	OPT_FOLDED('f'),
	OPT_STACKS,
	OPT_MIN,
	OPT_MAX,
	{ 0 },
};

static const struct column wakeup_columns[] = {
	COL(key.w_kernel, "KERNEL", 0, "the waker's kernel frames", .as = AS_KSTACK),
	COL(key.waker, "WAKER", 0, "name of the thread that woke it"),
	COL(key.w_pid, "W_PID", 0, "its process", .show = &col_never),
	COL(key.target, "TARGET", 0, "name of the thread that was asleep"),
	COL(key.t_pid, "T_PID", 0, "its process", .show = &col_never),
	COL(off.us, "USECS", 0, "time asleep, in microseconds"),
	COL_DATA(off.count, "how often"),
	{ 0 },
};

static const struct stack_layout wakeup_layout = {
	.list =
		(const struct stack_part[]){
			{ PART_NAME, "target", .label = "target:" },
			{ PART_KERNEL },
			{ PART_NAME, "waker", .label = "waker:" },
			{ 0 },
		},
	.fold =
		(const struct stack_part[]){
			{ PART_NAME, "waker", .id = "w_pid" },
			{ PART_KERNEL },
			{ PART_NAME, "target", .id = "t_pid" },
			{ 0 },
		},
};

static const struct example wakeup_examples[] = {
	{ "5", "who woke sleeping threads, for five seconds" },
	{ "-p 181", "what process 181 waits for" },
	{ "-f 10", "folded, for a flame graph" },
	{ 0 },
};

static void wakeup_check(void)
{
	if (conf.min_us > conf.max_us)
		opt_error("-m is more than -M");
}

static void wakeup_banner(struct buf *b)
{
	if (common.folded)
		return;
	buf_str(b, "Tracing blocked time (us) by kernel stack");
	if (common.duration)
		buf_fmt(b, " for %d secs.\n", common.duration);
	else
		buf_str(b, "... Hit Ctrl-C to end.\n");
}

static const struct applet wakeuptime = {
	.name = "wakeuptime",
	.summary = "sum the time asleep by the stack of the waker",
	.doc = "Shows who wakes threads that sleep, by kernel stack, and for how long they had "
	       "slept until then. Waiting for a turn on the CPU afterwards does not count, nor do "
	       "threads that were preempted: offwaketime shows both.\n\n"
	       "Filters are about the thread that slept. A waker in an interrupt is named after "
	       "the thread that was interrupted.\n\n"
	       "Traces every context switch and every wakeup: measure the cost on a busy machine "
	       "before leaving it on.",
	.positionals = ARGS_DURATION,
	.options = wakeup_options,
	.columns = wakeup_columns,
	.examples = wakeup_examples,
	.layout = &wakeup_layout,
	.probes = probes_wake,
	CONF(conf),
	.check = wakeup_check,
	.banner_text = wakeup_banner,
	.event = in_us,
	VALUE(off),
	.sort = "us",
	.ascending = true,
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(wakeuptime);

/* offcpuhist */

#undef ROW
#define ROW struct offcpuhist_row

static const struct opt hist_options[] = {
	OPT_PID('p'), OPT_TID('t'), OPT_WHOSE, OPT_DELIMITED('d'), OPT_OFFSET('s'),
	OPT_STACKS,   OPT_MIN,      OPT_MAX,   OPT_STATE,          { 0 },
};

static const struct column hist_columns[] = {
	COL(key.kernel, "KERNEL", 0, "kernel frames, the innermost first", .as = AS_KSTACK,
	    .show = &conf.kernel_stacks),
	COL(key.user, "USER", 0, "user frames, the innermost first", .as = AS_USTACK,
	    .show = &conf.user_stacks),
	COL(key.comm, "COMM", -16, "thread name"),
	COL(key.pid, "PID", -7, "process ID"),
	COL(key.tid, "TID", -7, "thread ID"),
	{ 0 },
};

static const struct example hist_examples[] = {
	{ "", "how long threads were off the CPU, for each stack, until Ctrl-C" },
	{ "181", "those of process 181" },
	{ "-K -m 1000 --duration 10", "of a millisecond or longer, by kernel stack, ten seconds" },
	{ 0 },
};

static void hist_banner(struct buf *b)
{
	banner(b, "Tracing off-CPU time (ns) of ");
}

static const struct applet offcpuhist = {
	.name = "offcpuhist",
	.summary = "show the time off the CPU as histograms, by stack and thread",
	.doc = "Shows where threads leave the CPU, and how long it takes each time until they are "
	       "back on it, as a histogram for each stack and thread; those with most time come "
	       "last.\n\n"
	       "Costs what offcputime costs.",
	.positionals = ARGS_PID,
	.options = hist_options,
	.columns = hist_columns,
	.examples = hist_examples,
	.banner_text = hist_banner,
	VALUE(hist),
	.unit = { "nsecs" },
	.run = run_hist,
	.probes = probes,
	CONF(conf),
	.check = check,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(offcpuhist);
