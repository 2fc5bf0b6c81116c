#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#define ROW struct deadlock_row
#include "applet.h"
#include "deadlock.h"
#include "object.h"
#include "out.h"
#include "probe/probed.h"
#include "probe/story.h"
#include "stacks.h"

#define LIST_MAX 16 /* of functions, in each list */

static struct deadlock_conf conf;
static const char *binary = "c", *graph_file;
static const char *locks = "pthread_mutex_lock", *unlocks = "pthread_mutex_unlock";
static u32 max_threads = 65536, max_edges = 65536;

static const struct opt options[] = {
	OPT(0, "binary", "PATH", &binary, "the program or library that has the functions (libc)"),
	OPT(0, "dump-graph", "FILE", &graph_file, "write the order of the mutexes, as JSON"),
	OPT(0, "lock-symbols", "LIST", &locks, "functions that lock (pthread_mutex_lock)"),
	OPT(0, "unlock-symbols", "LIST", &unlocks, "functions that unlock (pthread_mutex_unlock)"),
	OPT('t', "threads", "N", &max_threads, "so many threads at a time (default 65536)",
	    .min = 1, .max = 1 << 22),
	OPT('e', "edges", "N", &max_edges, "so many pairs of mutexes (default 65536)", .min = 1,
	    .max = 1 << 22),
	OPT('s', "stacktraces", "N", &common.stack_storage,
	    "keep this many different stacks (default: all)", .min = 1, .max = 1 << 22),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT(0, "pid", NULL, &common.filter.pids, "the process", .needed = true),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.held, "HELD", -18, "the mutex that the thread held", .as = AS_HEX),
	COL(key.wanted, "WANTED", -18, "the one that it asked for", .as = AS_HEX),
	COL(value.wanted_at, "WANTED_AT", 0, "user frames of that, the innermost first",
	    .as = AS_USTACK),
	COL(value.held_at, "HELD_AT", 0, "user frames of where it asked for the one it held",
	    .as = AS_USTACK),
	COL(value.pid, "PID", -7, "process ID"),
	COL(value.tid, "TID", -7, "thread ID"),
	COL(value.comm, "COMM", 0, "thread name"),
	{ 0 },
};

static const struct example examples[] = {
	{ "181", "watch process 181 until its mutexes could lock it up" },
	{ "--dump-graph order.json 181", "and write down the order in which they are taken" },
	{ "--binary /opt/app/bin/server --lock-symbols my_lock --unlock-symbols my_unlock 181",
	  "locks of the program's own" },
	{ 0 },
};

static struct story functions[2 * LIST_MAX];
static size_t nfunctions;

static void take_names(const char *text, u8 part, const char *option)
{
	char *copy = xasprintf("%s", text), *save = NULL;
	size_t before = nfunctions;

	for (char *name = strtok_r(copy, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		if (nfunctions == before + LIST_MAX)
			opt_error("--%s: %d names at most", option, LIST_MAX);
		functions[nfunctions++] = (struct story){ name, part, 0 };
	}
	if (nfunctions == before)
		opt_error("--%s: no function", option);
}

static void check(void)
{
	if (common.filter.pids.n > 1)
		opt_error("one process at a time");
	if (common.filter.pids.n) {
		take_names(locks, DEADLOCK_LOCK, "lock-symbols");
		take_names(unlocks, DEADLOCK_UNLOCK, "unlock-symbols");
		stories_add_each(xasprintf("%s:", binary), functions, nfunctions);
		probed_add("t:task:task_newtask");
		probed.fields = true;
	}
	probed_check();
}

static void prepare(struct run *run)
{
	probed_prepare(run);
	stories_tell(conf.kind, ARRAY_SIZE(conf.kind));
	object_set(run->obj, "conf", &conf, sizeof(conf));
	bpf_map__set_max_entries(bpf_object__find_map_by_name(run->obj, "threads"), max_threads);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(run->obj, "parents"), max_threads);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(run->obj, "edges"), max_edges);
}

/* The graph */

static struct rows edges = { .value = sizeof(struct deadlock_key),
			     .size = sizeof(struct deadlock_row) };

static const struct deadlock_row *edge(size_t i)
{
	return (const struct deadlock_row *)rows_at(&edges, i);
}

static int by_held(const void *a, const void *b)
{
	const struct deadlock_key *x = a, *y = b;

	if (x->held != y->held)
		return x->held < y->held ? -1 : 1;
	return x->wanted < y->wanted ? -1 : x->wanted > y->wanted;
}

/* The first edge from a mutex: they are sorted. */
static size_t first_from(u64 mutex)
{
	size_t low = 0, high = edges.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (edge(mid)->key.held < mutex)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/*
 * The shortest cycle that begins with edge `start`, as numbers of edges in `path`: breadth first,
 * each edge once. Its length, 0 if there is none.
 */
static size_t cycle_from(size_t start, size_t *queue, size_t *from, size_t *path)
{
	size_t head = 0, tail = 0, n = 0;

	memset(from, 0xff, edges.n * sizeof(*from));
	queue[tail++] = start;
	from[start] = start;
	while (head < tail) {
		size_t at = queue[head++];

		if (edge(at)->key.wanted == edge(start)->key.held) {
			for (;; at = from[at]) {
				path[n++] = at;
				if (at == start)
					break;
			}
			for (size_t i = 0; i < n / 2; i++) {
				size_t other = path[i];

				path[i] = path[n - 1 - i];
				path[n - 1 - i] = other;
			}
			return n;
		}
		for (size_t i = first_from(edge(at)->key.wanted);
		     i < edges.n && edge(i)->key.held == edge(at)->key.wanted; i++)
			if (from[i] == (size_t)-1) {
				from[i] = at;
				queue[tail++] = i;
			}
	}
	return 0;
}

/* The rows of a cycle, in its order; none: n is 0. */
static struct rows find_cycle(void)
{
	struct rows found = { .value = edges.value, .size = edges.size };
	size_t *work = xcalloc(3 * edges.n + 1, sizeof(*work)), n = 0;
	size_t *queue = work, *from = work + edges.n, *path = work + 2 * edges.n;

	for (size_t i = 0; i < edges.n && !n; i++)
		n = cycle_from(i, queue, from, path);
	if (n)
		found.data = xcalloc(n, found.size);
	for (; found.n < n; found.n++)
		memcpy(rows_at(&found, found.n), edge(path[found.n]), found.size);
	free(work);
	return found;
}

static void dump_graph(void)
{
	FILE *file = fopen(graph_file, "we");
	struct buf b = {};

	if (!file)
		die_err(errno, "cannot write '%s'", graph_file);
	buf_str(&b, "{\"edges\":[");
	for (size_t i = 0; i < edges.n; i++) {
		const struct deadlock_row *e = edge(i);

		buf_fmt(&b, "%s{\"held\":\"0x%llx\",\"wanted\":\"0x%llx\",\"tid\":%u,\"comm\":",
			i ? ",\n" : "", e->key.held, e->key.wanted, e->value.tid);
		buf_json(&b, e->value.comm, strnlen(e->value.comm, COMM_LEN));
		buf_chr(&b, '}');
	}
	buf_str(&b, "]}\n");
	if (fwrite(b.data, 1, b.len, file) != b.len || fclose(file))
		die_err(errno, "cannot write '%s'", graph_file);
	buf_free(&b);
}

/* What is said of a cycle */

static void mutex_name(struct buf *b, size_t i, u64 mutex)
{
	buf_fmt(b, "Mutex M%zu (0x%016llx)", i, mutex);
}

static void thread_name(struct buf *b, u32 tid, const char comm[COMM_LEN])
{
	buf_fmt(b, "Thread %u (", tid);
	buf_safe(b, comm, strnlen(comm, COMM_LEN));
	buf_chr(b, ')');
}

static void frames(struct buf *b, struct run *run, u32 pid, u64 stack)
{
	stack_list(b, stacks_named(), pid, stack_user(run, stack));
	buf_chr(b, '\n');
}

static void print_edge(struct buf *b, struct run *run, const struct deadlock_row *e, size_t i,
		       size_t next)
{
	mutex_name(b, next, e->key.wanted);
	buf_str(b, " acquired here while holding ");
	mutex_name(b, i, e->key.held);
	buf_str(b, " in ");
	thread_name(b, e->value.tid, e->value.comm);
	buf_str(b, ":\n");
	frames(b, run, e->value.pid, e->value.wanted_at);
	mutex_name(b, i, e->key.held);
	buf_str(b, " previously acquired by the same ");
	thread_name(b, e->value.tid, e->value.comm);
	buf_str(b, " here:\n");
	frames(b, run, e->value.pid, e->value.held_at);
}

static void print_parent(struct buf *b, struct run *run, const struct deadlock_row *e)
{
	struct deadlock_parent parent;
	u32 tid = e->value.tid;

	thread_name(b, tid, e->value.comm);
	if (bpf_map_lookup_elem(run_map(run, "parents"), &tid, &parent)) {
		buf_str(b, " was there before tracing began\n\n");
		return;
	}
	buf_str(b, " created by ");
	thread_name(b, parent.tid, parent.comm);
	buf_str(b, " here:\n");
	frames(b, run, parent.pid, parent.user);
}

static void print_cycle(struct run *run, const struct rows *rows, u64 now)
{
	(void)now;
	buf_str(&out,
		"----------------\nPotential Deadlock Detected!\n\nCycle in lock order graph: ");
	for (size_t i = 0; i <= rows->n; i++) {
		const struct deadlock_row *e = (void *)rows_at(rows, i % rows->n);

		buf_str(&out, i ? " => " : "");
		mutex_name(&out, i % rows->n, e->key.held);
	}
	buf_str(&out, "\n\n");
	for (size_t i = 0; i < rows->n; i++)
		print_edge(&out, run, (void *)rows_at(rows, i), i, (i + 1) % rows->n);
	for (size_t i = 0; i < rows->n; i++) {
		const struct deadlock_row *e = (void *)rows_at(rows, i);
		bool told = false;

		for (size_t j = 0; j < i; j++)
			told |= ((struct deadlock_row *)rows_at(rows, j))->value.tid ==
				e->value.tid;
		if (!told)
			print_parent(&out, run, e);
		out_row();
	}
}

/* Each second, until there is a cycle: exit code 1. */
static void watch(struct run *run)
{
	struct rows cycle = {};
	bool more;

	common.interval = 1;
	stacks_begin(run);
	do {
		more = run_wait(run);
		edges.n = 0;
		rows_read(run_map(run, "edges"), sizeof(struct deadlock_key), true, &edges);
		qsort(edges.data, edges.n, edges.size, by_held);
		if (common.verbose)
			warn("%zu pairs of mutexes", edges.n);
		free(cycle.data);
		cycle = find_cycle();
	} while (more && !cycle.n);
	if (graph_file)
		dump_graph();
	if (cycle.n) {
		stacks_print(run, &cycle);
		run->code = 1;
	}
	run_detach(run);
	stacks_nameless(run);
	free(cycle.data);
}

static const struct applet deadlock = {
	.name = "deadlock",
	.summary = "find orders of taking mutexes that could lock a process up",
	.doc = "Follows which mutexes the threads of a process ask for while they hold others. "
	       "Once "
	       "these make a circle, in which each waits for the next as soon as the threads meet, "
	       "it is printed with the stacks, and the exit code is 1; it need not have come to "
	       "that. Orders that were taken before tracing began are not known.\n\n"
	       "Mutexes that are tried for, or with a time limit, count if their functions are "
	       "given by --lock-symbols. A circle that one thread makes alone is printed, too: "
	       "another may run the same code. A mutex that is freed, and another that comes to "
	       "the same "
	       "address, are taken for one. A thread's mutexes above 16 at a time are counted as "
	       "lost.\n\n"
	       "Costs several microseconds for each lock and unlock, and a stack for each lock.",
	.options = options,
	.positionals = positionals,
	.columns = columns,
	.examples = examples,
	.check = check,
	.prepare = prepare,
	.attached = probed_attached,
	.banner = "Tracing... Hit Ctrl-C to end.",
	VALUE(value),
	.print_rows = print_cycle,
	.run = watch,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(deadlock);
