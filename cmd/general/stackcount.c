#include <string.h>

#define ROW struct stackcount_row
#include "applet.h"
#include "object.h"
#include "probe/probed.h"
#include "stackcount.h"

static struct stackcount_conf conf;
static bool user_only, kernel_only;
static int cpu = -1;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('c', "cpu", "CPU", &cpu, "count on this CPU only", .max = 8191),
	OPT_INTERVAL('i'),
	OPT_DURATION('D'),
	OPT_TIMESTAMP('T'),
	OPT_REGEXP('r'),
	OPT_OFFSET('s'),
	OPT('P', "perpid", NULL, &conf.by_process, "tell stacks of different processes apart"),
	OPT('K', "kernel-stacks-only", NULL, &kernel_only, "show kernel frames only"),
	OPT('U', "user-stacks-only", NULL, &user_only, "show user frames only"),
	OPT('v', "verbose", NULL, &common.addresses, "print raw addresses before the names"),
	OPT_DELIMITED('d'),
	OPT_FOLDED('f'),
	OPT_STACKS,
	OPT_UNWIND,
	OPT_LIST_PROBES(0),
	OPT_EXEC,
	{ 0 },
};

static const struct column columns[] = {
	COL(key.kernel, "KERNEL", 0, "kernel frames, the innermost first", .as = AS_KSTACK,
	    .show = &conf.kernel_stacks),
	COL(key.user, "USER", 0, "user frames, the innermost first", .as = AS_USTACK,
	    .show = &conf.user_stacks),
	COL(key.comm, "COMM", 0, "thread name; empty without -P, -p and -f"),
	COL(key.pid, "PID", 0,
	    "process ID; 0 without -P and -p, unless there are user frames, which are a process's"),
	COL(count, "COUNT", 0, "how often"),
	{ 0 },
};

static const struct example examples[] = {
	{ "submit_bio", "kernel and user stacks that lead to submit_bio()" },
	{ "-K ip_output", "kernel stacks that lead to ip_output()" },
	{ "-i 1 -T 'tcp_send*'", "stacks of several functions, every second, with the time" },
	{ "-P t:sched:sched_switch", "why threads leave the CPU, by process" },
	{ "-f -D 10 t:syscalls:sys_enter_read", "ten seconds, for a flame graph" },
	{ "-p 181 c:malloc", "where process 181 allocates memory" },
	{ 0 },
};

static void check(void)
{
	if (user_only && kernel_only)
		opt_error("-U and -K exclude each other");
	conf.kernel_stacks = !user_only;
	conf.user_stacks = !kernel_only;
	if (common.filter.pids.n)
		conf.by_process = true;
	conf.by_name = conf.by_process || common.folded;
	if (user_only || kernel_only)
		common.delimited = false;
	conf.cpu_plus_1 = cpu + 1;
	probed.stacks = true;
	probed_check();
}

/*
 * Which site it was does not matter, but whether it is a function's entry. With tracepoints
 * among the sites nobody asks: their programs have no registers.
 */
static void prepare(struct run *run)
{
	conf.entries = true;
	probed_prepare(run);
	for (int i = 0; i < probed.n; i++)
		conf.entries &= !probed.spec[i].offset && probed.spec[i].kind != SPEC_TRACEPOINT;
	for (u32 i = 0; i < probed.sites.n; i++) {
		struct site *s = &probed.sites.at[i];

		if (s->kind == SPEC_ENTRY)
			s->number = s->in ? STACKCOUNT_ENTRY : STACKCOUNT_KERNEL_ENTRY;
		else
			s->number = 0;
	}
	object_set(run->obj, "conf", &conf, sizeof(conf));
}

static void banner(struct buf *b)
{
	if (common.folded)
		return;
	buf_fmt(b, "Tracing %u functions for ", probed.attach.attached);
	probed_title(b);
	buf_str(b, "... Hit Ctrl-C to end.\n");
}

/* Who, where the user did not say it, and how often. */
static void footer(struct buf *b, const struct column *cols, const void *row)
{
	struct stackcount_row r;

	(void)cols;
	memcpy(&r, row, sizeof(r));
	if (conf.by_process && !common.filter.pids.n) {
		buf_str(b, "    ");
		buf_safe(b, r.key.comm, strnlen(r.key.comm, sizeof(r.key.comm)));
		buf_fmt(b, " [%u]\n", r.key.pid);
	}
	buf_fmt(b, "    %llu\n\n", r.count);
}

static const struct applet stackcount = {
	.name = "stackcount",
	.summary = "count stacks that lead to functions, tracepoints and USDT probes",
	.doc = "Counts what fires of everything that a pattern means, by the kernel's and the "
	       "user's stack at that moment.\n\n"
	       "User frames belong to a process: stacks that have some are told apart by process "
	       "even without -P. They are walked by frame pointers. Names are looked up at the "
	       "end; those of processes that live for less than 20 ms may be "
	       "missing.\n\n"
	       "Walking stacks costs a few microseconds each: mind functions that are called "
	       "hundreds of thousands of times a second.",
	.options = options,
	.positionals = ARGS_PATTERNS,
	.columns = columns,
	.examples = examples,
	CONF(conf),
	VALUE(count),
	.check = check,
	.prepare = prepare,
	.attached = probed_attached,
	.banner_text = banner,
	.footer = footer,
	.indent = 2,
	.sort = "count",
	.ascending = true,
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(stackcount);
