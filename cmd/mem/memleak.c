#include <ctype.h>
#include <linux/version.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW struct memleak_row
#include "applet.h"
#include "clock.h"
#include "kernel.h"
#include "memleak.h"
#include "object.h"
#include "out.h"
#include "probe/probed.h"
#include "probe/story.h"
#include "report.h"
#include "stacks.h"
#include "sums.h"

static struct memleak_conf conf = { .max_size = -1ull };
static u32 older_ms = 500, top = 10;
static bool show_allocs, percpu, missing_free, in_kernel, objects;
static const char *command, *library = "c", *prefix = "";
static enum { BY_SIZE, BY_COUNT } order;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('t', "trace", NULL, &conf.trace, "print each allocation and each free instead"),
	OPT('a', "show-allocs", NULL, &show_allocs,
	    "print addresses and sizes of what is left, in text"),
	OPT('o', "older", "MS", &older_ms, "show allocations older than this (default 500)"),
	OPT('c', "command", "COMMAND", &command, "run COMMAND, split at blanks, and trace it"),
	OPT_EXEC,
	OPT(0, "combined-only", NULL, &conf.combined,
	    "sum up in the kernel: cheaper to show, without -a and -o"),
	OPT(0, "wa-missing-free", NULL, &missing_free,
	    "forget what was at an address that is allocated again: always done"),
	OPT('s', "sample-rate", "N", &conf.sample, "trace every Nth allocation", .min = 1),
	OPT('T', "top", "N", &top, "show this many stacks (default 10)", .min = 1),
	OPT('z', "min-size", "BYTES", &conf.min_size, "trace allocations of this size or larger"),
	OPT('Z', "max-size", "BYTES", &conf.max_size, "trace allocations of this size or smaller"),
	OPT('O', "obj", "LIBRARY", &library, "trace the allocator of this library or program"),
	OPT(0, "percpu", NULL, &percpu, "trace what the kernel allocates for each CPU instead"),
	OPT_CHOICE(0, "sort", "KEY", &order, "choose the stacks to show by size (default) or count",
		   "size", "count"),
	OPT(0, "symbols-prefix", "TEXT", &prefix, "the allocator's names begin so: je_, tc_"),
	OPT_STACKS,
	{ 0 },
};

static const struct column columns[] = {
	COL(key.kernel, "KERNEL", 0, "kernel frames, the innermost first; of the kernel's",
	    .as = AS_KSTACK, .show = &in_kernel),
	COL(key.user, "USER", 0, "user frames, the innermost first", .as = AS_USTACK,
	    .show = &conf.user),
	COL(key.pid, "PID", 0, "process ID; 0: the kernel's"),
	COL(value.bytes, "BYTES", 0, "bytes that are allocated"),
	COL(value.count, "COUNT", 0, "in how many allocations"),
	{ 0 },
};

static const struct example examples[] = {
	{ "-p 181", "what process 181 allocates and does not free, every five seconds" },
	{ "-p 181 -a -o 60000 10", "what is older than a minute, by address, every ten seconds" },
	{ "-c './server --once' 1 1", "of a command, from its start" },
	{ "", "what the kernel allocates and does not free" },
	{ "--combined-only -T 3 5 1", "the same after five seconds, three stacks, cheaper" },
	{ 0 },
};

static const struct story functions[] = {
	{ "malloc", LEAK_MALLOC, LEAK_RETURNED },
	{ "valloc", LEAK_MALLOC, LEAK_RETURNED },
	{ "pvalloc", LEAK_MALLOC, LEAK_RETURNED },
	{ "calloc", LEAK_CALLOC, LEAK_RETURNED },
	{ "memalign", LEAK_ALIGNED, LEAK_RETURNED },
	{ "aligned_alloc", LEAK_ALIGNED, LEAK_RETURNED },
	{ "realloc", LEAK_REALLOC, LEAK_RETURNED },
	{ "reallocarray", LEAK_ARRAY, LEAK_RETURNED },
	{ "posix_memalign", LEAK_POSIX, LEAK_RETURNED },
	{ "mmap", LEAK_MMAP, LEAK_RETURNED },
	{ "mremap", LEAK_MREMAP, LEAK_RETURNED },
	{ "free", LEAK_FREE, 0 },
	{ "munmap", LEAK_FREE, 0 },
};

static const struct story tracepoints[] = {
	{ "kmalloc", LEAK_KMALLOC, 0 },
	{ "kmalloc_node", LEAK_KMALLOC, 0 }, /* until 6.0 */
	{ "kmem_cache_alloc", LEAK_KMALLOC, 0 },
	{ "kmem_cache_alloc_node", LEAK_KMALLOC, 0 },
	{ "mm_page_alloc", LEAK_PAGES, 0 },
	{ "mm_page_free", LEAK_PAGES_FREE, 0 },
};

static const struct story percpus[] = {
	{ "percpu_alloc_percpu", LEAK_PERCPU, 0 },
};

static const struct probe probes[] = {
	{ "frees of objects", { "kmalloc_freed object_freed" }, .wanted = &objects },
	{ "frees of each CPU's memory", { "percpu_freed" }, .wanted = &percpu },
	{ 0 },
};

static bool is_name(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("_$.", *text))
			return false;
	return true;
}

static void probe_user(void)
{
	if (!is_name(prefix))
		opt_error("--symbols-prefix: not the beginning of a name: %s", prefix);
	stories_add(xasprintf("%s:%s", library, prefix), functions, ARRAY_SIZE(functions));
}

static void probe_kernel(void)
{
	if (percpu && kernel_release() < KERNEL_VERSION(5, 19, 0))
		die("--percpu: kernels before 5.19 do not tell how much is allocated");
	if (percpu)
		stories_add("t:percpu:", percpus, ARRAY_SIZE(percpus));
	else
		stories_add("t:kmem:", tracepoints, ARRAY_SIZE(tracepoints));
	probed.fields = true;
}

static char **split(const char *text)
{
	char *copy = xasprintf("%s", text), **argv = NULL, *save = NULL;
	size_t n = 0;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		argv = xrealloc(argv, (n + 2) * sizeof(*argv));
		argv[n++] = word;
		argv[n] = NULL;
	}
	if (!n)
		opt_error("-c: no command");
	return argv;
}

static void check(void)
{
	if (command && common.exec)
		opt_error("-c and --exec exclude each other");
	if (command)
		common.exec = split(command);
	if (common.filter.pids.n && common.exec)
		opt_error("-p and -c exclude each other");
	if (conf.min_size > conf.max_size)
		opt_error("-z is more than -Z");
	if (conf.combined && show_allocs)
		opt_error("--combined-only keeps no addresses for -a");
	conf.user = common.filter.pids.n || common.exec;
	if (conf.user && percpu)
		opt_error("--percpu is the kernel's: without -p and -c");
	in_kernel = !conf.user;
	objects = in_kernel && !percpu;
	conf.page = sysconf(_SC_PAGESIZE);
	common.interval = common.interval ?: 5;
	if (conf.user)
		probe_user();
	else
		probe_kernel();
	probed_check();
}

static void prepare(struct run *run)
{
	struct bpf_map *allocs = bpf_object__find_map_by_name(run->obj, "allocs");

	probed_prepare(run);
	stories_tell(conf.kind, ARRAY_SIZE(conf.kind));
	object_set(run->obj, "conf", &conf, sizeof(conf));
	/* Before 6.1 a map without its memory set aside can deadlock in programs that trace. */
	if (kernel_release() >= KERNEL_VERSION(6, 1, 0))
		bpf_map__set_map_flags(allocs, BPF_F_NO_PREALLOC);
}

static void attached(struct run *run)
{
	volatile u32 *started = object_var(run->obj, "started");

	probed_attached(run);
	*started = 1;
}

/* The reports */

static void show_alloc(const struct memleak_address *at, const struct memleak_alloc *a)
{
	if (out_mode == OUT_TEXT)
		buf_fmt(&out, "\taddr = %llx size = %llu\n", at->addr, a->size);
}

/* Adds what is old enough to `sums`. */
static void sum_up(struct run *run, struct sums *sums)
{
	struct rows allocs = { .value = sizeof(struct memleak_address),
			       .size = sizeof(struct memleak_address) +
				       sizeof(struct memleak_alloc) };
	u64 now = clock_mono();

	rows_read(run_map(run, "allocs"), sizeof(struct memleak_address), true, &allocs);
	for (size_t i = 0; i < allocs.n; i++) {
		struct memleak_address at;
		struct memleak_alloc a;
		struct memleak_row row;
		struct rows one = { (char *)&row, 1, sizeof(row), sizeof(row.key) };

		memcpy(&at, rows_at(&allocs, i), sizeof(at));
		memcpy(&a, rows_at(&allocs, i) + sizeof(at), sizeof(a));
		if (a.time + older_ms * 1000000ull > now)
			continue;
		if (show_allocs)
			show_alloc(&at, &a);
		row = (struct memleak_row){ a.key, { a.size, 1 } };
		sums_add(sums, &one);
	}
	free(allocs.data);
}

/* A free that is seen beside its allocation may be summed up first: less than none for a moment. */
static void drop_empty(struct rows *rows)
{
	size_t kept = 0;

	for (size_t i = 0; i < rows->n; i++) {
		struct memleak_row row;

		memcpy(&row, rows_at(rows, i), sizeof(row));
		if ((s64)row.value.count > 0)
			memmove(rows_at(rows, kept++), rows_at(rows, i), rows->size);
	}
	rows->n = kept;
}

static int by_choice(const void *a, const void *b)
{
	const struct memleak_value *x = &((const struct memleak_row *)a)->value;
	const struct memleak_value *y = &((const struct memleak_row *)b)->value;
	u64 p = order == BY_COUNT ? x->count : x->bytes;
	u64 q = order == BY_COUNT ? y->count : y->bytes;

	return p < q ? -1 : p > q ? 1 : memcmp(a, b, sizeof(struct memleak_key));
}

/* The stacks to show, the one with most last. */
static struct rows chosen(struct rows *all)
{
	struct rows rows = *all;

	qsort(all->data, all->n, all->size, by_choice);
	if (rows.n > top) {
		rows.data = rows_at(all, all->n - top);
		rows.n = top;
	}
	return rows;
}

static void open_report(struct run *run)
{
	(void)run;
	if (out_mode != OUT_TEXT)
		return;
	buf_chr(&out, '[');
	clock_hms(&out, clock_mono());
	buf_fmt(&out, "] Top %u stacks with outstanding allocations:\n", top);
}

static void print_text(struct run *run, const struct rows *rows, u64 now)
{
	(void)now;
	for (size_t i = 0; i < rows->n; i++) {
		struct memleak_row row;

		memcpy(&row, rows_at(rows, i), sizeof(row));
		buf_fmt(&out, "\t%llu bytes in %llu allocations from stack\n", row.value.bytes,
			row.value.count);
		stacks_text(&out, run, rows_at(rows, i), rows->size);
		out_row();
	}
}

/* Read before probes are gone, so that nothing is freed unseen. */
static void reports(struct run *run)
{
	struct rows combined = { .value = sizeof(struct memleak_key),
				 .size = sizeof(struct memleak_row) };
	struct sums sums = {};
	bool more;

	stacks_begin(run);
	do {
		struct rows rows;

		more = run_wait(run);
		report_begin(run);
		combined.n = 0;
		sums_clear(&sums);
		if (conf.combined)
			rows_read(run_map(run, "combined"), sizeof(struct memleak_key), true,
				  &combined);
		else
			sum_up(run, &sums);
		drop_empty(conf.combined ? &combined : &sums.rows);
		rows = chosen(conf.combined ? &combined : &sums.rows);
		stacks_print(run, &rows);
		out_flush();
	} while (more);
	run_detach(run);
	stacks_nameless(run);
	free(combined.data);
}

/* With -t */

#undef ROW
#define ROW struct memleak_event

static const char *const what[] = { "alloc", "free" };

static const struct column trace_columns[] = {
	COL(task.time, "TIME", -9, "time of the call's return, or of the free", .as = AS_TIME),
	COL(task.pid, "PID", -7, "process ID"),
	COL_DATA(task.tid, "thread ID"),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(call, "CALL", -6, "alloc, or free", .names = what, .named = ARRAY_SIZE(what)),
	COL(addr, "ADDR", -18, "address; of pages in the kernel, their number", .as = AS_HEX),
	COL(size, "SIZE", 0, "bytes; 0 where they are freed"),
	{ 0 },
};

static const struct applet traced = {
	.columns = trace_columns,
	.banner = "Attaching probes, Ctrl+C to quit.",
	.run = run_events,
};

#undef ROW
#define ROW struct memleak_row

static void banner(struct buf *b)
{
	if (in_kernel)
		buf_str(b, "Attaching to kernel allocators, Ctrl+C to quit.\n");
	else if (common.exec)
		buf_str(b, "Attaching to the command, Ctrl+C to quit.\n");
	else
		buf_fmt(b, "Attaching to pid %u, Ctrl+C to quit.\n", common.filter.pids.id[0]);
}

static const struct applet memleak = {
	.name = "memleak",
	.summary = "show memory that is allocated and not freed, by stack",
	.doc = "Notes each allocation and strikes it out when it is freed; every interval it shows "
	       "the stacks with the most that is left: leaks, caches, and what is still in use. "
	       "With -p, -c or --exec the allocations of a process by libc, or by the library that "
	       "-O names; else the kernel's: slab objects and pages.\n\n"
	       "What was allocated before tracing began is not known. Allocators may call each "
	       "other: the outermost counts. What is unmapped in parts is struck out by its "
	       "beginning only. Programs that carry their own allocator want -O PROGRAM. Of the "
	       "kernel's objects, those freed many at once are not seen to be; and before 6.7 the "
	       "kernel does not tell how often it skipped a program, which it does where an "
	       "interrupt allocates while another program runs on that CPU.\n\n"
	       "Costs several microseconds for each allocation and for each free: a program that "
	       "does little else becomes many times slower. -s does not change what frees cost; -z "
	       "spares the stacks of small ones.",
	.positionals = ARGS_EVERY_5_SECONDS,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.prepare = prepare,
	.attached = attached,
	.banner_text = banner,
	VALUE(value),
	.indent = 16,
	.report = open_report,
	.print_rows = print_text,
	.sort = "bytes",
	.run = reports,
	.other = &traced,
	.use_other = &conf.trace,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(memleak);
