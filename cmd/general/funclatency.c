#include <string.h>

#define ROW struct funclatency_row
#include "applet.h"
#include "funclatency.h"
#include "call.h"
#include "probe/probed.h"

static struct funclatency_conf conf;
static bool kprobes;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_INTERVAL('i'),
	OPT_DURATION('d'),
	OPT_TIMESTAMP('T'),
	OPT_UNITS,
	OPT('F', "function", NULL, &conf.by_function,
	    "print a histogram per function; of user functions, per process too"),
	OPT(0, "by-process", NULL, &conf.by_process, "print a histogram per process"),
	OPT_REGEXP('r'),
	OPT('l', "level", "LEVELS", &conf.levels,
	    "measure calls within calls up to so many levels (default: all)", .min = 1,
	    .max = CALL_LEVELS),
	OPT('k', "kprobes", NULL, &kprobes, "accepted: functions are traced by kprobes anyway"),
	OPT_CGROUP('c'),
	OPT_LIST_PROBES(0),
	OPT_EXEC,
	{ 0 },
};

/* As in BCC, user functions with the process. */
static void function_text(struct buf *b, const void *field, const void *row)
{
	const struct funclatency_key *key = row;

	probed_name(b, field, row);
	if (probed_site(key->func)->in && !conf.by_process)
		buf_fmt(b, " [%u]", key->pid);
}

static void function_name(struct buf *b, const void *field, const void *row)
{
	if (conf.by_function)
		probed_name(b, field, row);
	else
		buf_str(b, probed.pattern[0]);
}

static const struct column columns[] = {
	COL(key.func, "Function", 0, "function; without -F, the pattern", .show = &conf.by_function,
	    .text = function_text, .name = function_name),
	COL(key.pid, "pid", 0, "process ID; 0 where processes are not told apart",
	    .show = &conf.by_process),
	COL_DATA(value.total_ns, "sum of all times, in nanoseconds"),
	{ 0 },
};

static const struct example examples[] = {
	{ "do_nanosleep", "how long the kernel's do_nanosleep() takes" },
	{ "-u vfs_read", "vfs_read(), in microseconds" },
	{ "-F 'vfs_r*'", "functions that begin with vfs_r, each apart" },
	{ "-m -i 2 -d 10 c:getaddrinfo", "getaddrinfo() of libc, every two seconds for ten" },
	{ "-p 181 c:read", "read() of libc in process 181" },
	{ 0 },
};

static void check(void)
{
	probed_check_unit();
	conf.unit_ns = probed_unit.ns;
	probed_check_calls();
}

static void prepare(struct run *run)
{
	probed_prepare(run);
	if (conf.levels)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(run->obj, "nests"), 16384);
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing %u functions for ", probed.functions);
	probed_title(b);
	buf_str(b, "... Hit Ctrl-C to end.\n");
}

/* Over all histograms of the report. */
static void total(struct buf *b, const struct rows *rows)
{
	u64 ns = 0, n = 0;

	for (size_t i = 0; i < rows->n; i++) {
		struct funclatency_row row;

		memcpy(&row, rows_at(rows, i), sizeof(row));
		ns += row.value.total_ns;
		for (int slot = 0; slot < HIST_SLOTS; slot++)
			n += row.value.hist.slots[slot];
	}
	if (n)
		buf_fmt(b, "\navg = %llu %s, total: %llu %s, count: %llu\n", ns / conf.unit_ns / n,
			probed_unit.name, ns / conf.unit_ns, probed_unit.name, n);
}

static const struct applet funclatency = {
	.name = "funclatency",
	.summary = "show the latency of functions as a histogram",
	.doc = "Measures the time from a function's entry to its return, of the kernel, a library "
	       "or "
	       "a program. What a function waits for counts too, and so do calls within calls, "
	       "each "
	       "for itself.\n\n"
	       "Calls that are under way at the beginning or the end are not counted. The kernel "
	       "remembers a limited number of calls of a function at a time that it will see "
	       "return; those above are missed, which it tells since Linux 6.7.\n\n"
	       "A call costs a microsecond or so, of a user function several: expect a slower "
	       "machine with functions that are called a million times a second.",
	.options = options,
	.positionals = ARGS_FUNCTIONS,
	.columns = columns,
	.examples = examples,
	.untyped = true,
	CONF(conf),
	VALUE(value),
	.unit = { "nsecs", .named = &probed_unit.name },
	.check = check,
	.prepare = prepare,
	.attached = probed_attached,
	.banner_text = banner,
	.total = total,
	.run = run_hist,
};

APPLET(funclatency);
