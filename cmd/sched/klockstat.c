#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROW struct klockstat_row
#include "applet.h"
#include "kdata.h"
#include "klock.h"
#include "klockstat.h"
#include "out.h"
#include "stacks.h"

static struct klockstat_conf conf;
static u32 locks = -1, frames = 1;
static const char *only, *lock_name;
static bool reset;

/* -S acq_max,hld_total: what each of the two tables is sorted by. */
static const char *const orders[] = { "max", "total", "count" };
static u32 acq_order, hld_order;

static int parse_sort(const char *arg, void *dst, char why[128])
{
	char copy[64], *next = copy, *item;

	(void)dst;
	snprintf(copy, sizeof(copy), "%s", arg);
	while ((item = strsep(&next, ","))) {
		bool acq = !strncmp(item, "acq_", 4), hld = !strncmp(item, "hld_", 4);
		u32 i = 0;

		while (i < ARRAY_SIZE(orders) && strcmp(item + 4 * (acq || hld), orders[i]))
			i++;
		if ((!acq && !hld) || i == ARRAY_SIZE(orders)) {
			snprintf(why, 128, "not of acq_ and hld_ with max, total or count");
			return -EINVAL;
		}
		*(acq ? &acq_order : &hld_order) = i;
	}
	return 0;
}

static const struct opt options[] = {
	OPT_DURATION('d'),
	OPT_INTERVAL('i'),
	OPT('n', "locks", "LOCKS", &locks, "print so many callers at most", .min = 1),
	OPT('s', "stacks", "STACKS", &frames, "print so many frames of each (default 1)", .min = 1,
	    .max = STACK_DEPTH),
	OPT('c', "caller", "CALLER", &only, "print callers whose name begins with CALLER only"),
	OPT('L', "lock", "LOCK", &lock_name,
	    "trace this lock only: a variable of the kernel, such as rtnl_mutex, or its address"),
	OPT_PARSED('S', "sort", "SORT", parse_sort, &acq_order,
		   "sort by these: acq_max,hld_max (default), or _total, _count"),
	OPT_PID('p'),
	OPT_TID('t'),
	OPT('P', "per-thread", NULL, &conf.by_thread, "tell threads apart"),
	OPT_TIMESTAMP('T'),
	OPT('R', "reset", NULL, &reset, "accepted: each report is of its interval alone anyway"),
	OPT(0, "stack-storage-size", "N", &common.stack_storage,
	    "keep this many different stacks (default 16384)", .min = 1, .max = 1 << 22),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.kernel, "KERNEL", 0, "kernel frames, from the function that locks outwards",
	    .as = AS_KSTACK),
	COL(key.pid, "PID", -7, "process ID; 0 without -P", .show = &conf.by_thread),
	COL(key.tid, "TID", -7, "thread ID; 0 without -P", .show = &conf.by_thread),
	COL(key.comm, "COMM", -16, "thread name; empty without -P", .show = &conf.by_thread),
	COL(value.acq_count, "Count", 6, "how often a lock was taken"),
	COL(value.acq_total_ns, "Total spin", 10,
	    "time that it was waited for; in text also per lock, and the longest"),
	COL_DATA(value.acq_max_ns, "the longest of these"),
	COL_DATA(value.hld_count, "how often it was given back"),
	COL(value.hld_total_ns, "Total hold", 10,
	    "time that it was held; in text also per lock, and the longest"),
	COL_DATA(value.hld_max_ns, "the longest of these"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "locks that were waited for and held longest, at Ctrl-C" },
	{ "-d 5 -n 3", "the first three, of five seconds" },
	{ "-i 1 -T", "every second, with the time" },
	{ "-s 8 -S acq_total,hld_total", "with eight frames each, by the sum of times" },
	{ "-L rtnl_mutex -P", "who takes one lock" },
	{ 0 },
};

static const struct probe probes[] = {
	KLOCK_PROBE_MUTEXES,
	KLOCK_PROBE_SEMAPHORES,
	{ 0 },
};

static void check(void)
{
	int err = 0;

	if (common.duration && common.interval)
		opt_error("-d and -i exclude each other");
	if (lock_name && !parse_u64(lock_name, ~0ull, &conf.lock))
		err = kdata_address(lock_name, &conf.lock);
	if (err == -ENOENT)
		opt_error("-L: no variable of the kernel's: %s", lock_name);
	if (err)
		die_err(err, "-L: cannot find %s", lock_name);
}

static bool is_lock_function(const char *name)
{
	static const char *const prefixes[] = { "mutex_", "down_read", "down_write" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/*
 * The stack of a row from the caller of the lock's function on; NULL if it was lost. Above that
 * function may be trampolines, of which not all have names.
 */
static const struct bcc_stack *caller_of(struct run *run, const struct klockstat_row *row,
					 u64 *first)
{
	const struct bcc_stack *s = stack_kernel(run, stacks_named(), row->key.kernel);
	struct sym sym;

	*first = 0;
	for (u64 i = 0; s && i < s->n && i < STACK_OURS; i++)
		if (!ksyms_find(stacks_named()->kernel, s->ip[i], &sym) &&
		    is_lock_function(sym.name))
			*first = i + 1;
	return s && *first < s->n ? s : NULL;
}

static void frame_name(struct buf *b, u64 ip)
{
	struct sym sym;

	ksyms_find(stacks_named()->kernel, ip, &sym);
	b->len = 0;
	sym_text(b, &sym, true);
}

/* -c */
static const void *with_caller(struct run *run, const void *event, size_t *size)
{
	struct klockstat_row row;
	const struct bcc_stack *s;
	struct buf name = {};
	u64 first;
	bool is;

	(void)size;
	if (!only)
		return event;
	memcpy(&row, event, sizeof(row));
	s = caller_of(run, &row, &first);
	if (s)
		frame_name(&name, s->ip[first]);
	is = name.len >= strlen(only) && !strncmp(name.data, only, strlen(only));
	buf_free(&name);
	return is ? event : NULL;
}

struct time {
	u64 count, total, max;
};

static struct time time_of(const struct klockstat_row *r, bool hold)
{
	const struct klockstat_value *v = &r->value;

	return hold ? (struct time){ v->hld_count, v->hld_total_ns, v->hld_max_ns }
		    : (struct time){ v->acq_count, v->acq_total_ns, v->acq_max_ns };
}

static bool of_hold;

static int by_time(const void *a, const void *b)
{
	const struct time x = time_of(a, of_hold), y = time_of(b, of_hold);
	u32 order = of_hold ? hld_order : acq_order;
	u64 i = order == 0 ? x.max : order == 1 ? x.total : x.count;
	u64 j = order == 0 ? y.max : order == 1 ? y.total : y.count;

	return i < j ? 1 : i > j ? -1 : memcmp(a, b, sizeof(struct klockstat_key));
}

static void print_row(struct run *run, const struct klockstat_row *row, const struct time *t)
{
	const struct bcc_stack *s;
	struct buf name = {};
	u64 first;

	s = caller_of(run, row, &first);
	if (s)
		frame_name(&name, s->ip[first]);
	else
		buf_str(&name, "[Missed Kernel Stack]");
	if (conf.by_thread) {
		buf_fmt(&out, "%-7u %-7u ", row->key.pid, row->key.tid);
		buf_safe(&out, row->key.comm, strnlen(row->key.comm, COMM_LEN));
		buf_fill(&out, ' ', 17 - strnlen(row->key.comm, COMM_LEN));
	}
	buf_fmt(&out, "%40.*s %10llu %6llu %10llu %10llu\n", (int)name.len, name.data,
		t->total / t->count, t->count, t->max, t->total);
	for (u64 i = first + 1; s && i < s->n && i < first + frames; i++) {
		frame_name(&name, s->ip[i]);
		buf_fmt(&out, "%40.*s\n", (int)name.len, name.data);
	}
	buf_free(&name);
}

static void print_table(struct run *run, const struct rows *rows, bool hold)
{
	struct klockstat_row *sorted = xcalloc(rows->n + 1, sizeof(*sorted));
	u32 shown = 0;

	memcpy(sorted, rows->data ?: "", rows->n * sizeof(*sorted));
	of_hold = hold;
	qsort(sorted, rows->n, sizeof(*sorted), by_time);
	if (conf.by_thread)
		buf_fmt(&out, "%-7s %-7s %-16s ", "PID", "TID", "COMM");
	buf_fmt(&out, "%40s %10s %6s %10s %10s\n", "Caller", hold ? "Avg Hold" : "Avg Spin",
		"Count", hold ? "Max hold" : "Max spin", hold ? "Total hold" : "Total spin");
	for (size_t i = 0; i < rows->n && shown < locks; i++) {
		struct time t = time_of(&sorted[i], hold);

		if (!t.count)
			continue;
		print_row(run, &sorted[i], &t);
		out_row();
		shown++;
	}
	free(sorted);
}

static void print_rows(struct run *run, const struct rows *rows, u64 now)
{
	(void)now;
	print_table(run, rows, false);
	buf_chr(&out, '\n');
	print_table(run, rows, true);
}

static const struct applet klockstat = {
	.name = "klockstat",
	.summary = "sum up waiting for the kernel's locks, and holding them",
	.doc = "Measures how long threads wait in the kernel for its mutexes and read-write "
	       "semaphores, and how long they hold them, by the function that asks for the lock. "
	       "Times are nanoseconds. Locks that one thread takes and another gives back count as "
	       "taken only.\n\n"
	       "Walks a stack for each lock that is taken, and there may be a million a second: "
	       "expect a busy system to be slowed down a lot. -p, -t and -L make it less.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	VALUE(value),
	.banner = "Tracing lock events... Hit Ctrl-C to end.",
	.check = check,
	.event = with_caller,
	.print_rows = print_rows,
	.sort = "acq_max_ns",
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(klockstat);
