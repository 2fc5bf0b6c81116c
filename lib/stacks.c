/* run_stacks(): the table `counts`, whose keys hold ids of the map `stacks`; listed or folded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/version.h>
#include <bpf/bpf.h>

#include "applet.h"
#include "clock.h"
#include "kernel.h"
#include "object.h"
#include "out.h"
#include "report.h"
#include "rows.h"
#include "stacks.h"

#define CAPTURE_NS 5000000 /* of each tenth of a second: 5 % */

static struct names names;

/* Names */

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool is_ours(const char *name)
{
	static const char *const prefixes[] = {
		"bpf_get_stack", "bpf_prog_",      "__bpf_prog_",     "___bpf_prog_",
		"bpf_trace_run", "__bpf_trace_",   "bpf_dispatcher_", "bpf_trampoline_",
		"__traceiter_",  "trace_call_bpf", "perf_trace_",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (starts(name, prefixes[i]))
			return true;
	return false;
}

void stack_trim(struct names *n, struct bcc_stack *s)
{
	struct sym sym;
	u64 top = 0;

	while (top < s->n && top < STACK_OURS && !ksyms_find(n->kernel, s->ip[top], &sym) &&
	       is_ours(sym.name))
		top++;
	s->n -= top;
	memmove(s->ip, s->ip + top, s->n * sizeof(*s->ip));
	if (common.stack_depth && s->n > common.stack_depth)
		s->n = common.stack_depth;
}

/* The text of one frame; 0, or why it is without a name. */
static int frame(struct buf *b, struct names *n, u32 pid, u64 ip)
{
	struct sym sym;
	int err = pid == OF_KERNEL ? ksyms_find(n->kernel, ip, &sym)
				   : usyms_find(n->user, pid, ip, &sym);

	b->len = 0;
	sym_text(b, &sym, n->offsets);
	if (sym.kind == SYM_NONE && n->offsets) {
		buf_chr(b, '+');
		buf_hex(b, ip);
	}
	return err;
}

static const char *missed(u32 pid)
{
	return pid == OF_KERNEL ? "[Missed Kernel Stack]" : "[Missed User Stack]";
}

static void count_nameless(struct names *n, u32 pid, int err)
{
	if (pid != OF_KERNEL && err == -ESRCH)
		n->gone++;
	else if (pid != OF_KERNEL && (err == -EPERM || err == -EACCES))
		n->refused++;
}

/* Calls `each` with the name of every frame. */
static void each_frame(struct buf *b, struct names *n, u32 pid, const struct bcc_stack *s,
		       bool root_first,
		       void (*each)(struct buf *b, size_t start, const char *, size_t))
{
	size_t start = b->len;
	struct buf name = {};
	int err = 0;

	if (!s) {
		each(b, start, missed(pid), strlen(missed(pid)));
		return;
	}
	for (u64 i = 0; i < s->n; i++) {
		u64 ip = s->ip[root_first ? s->n - 1 - i : i];

		if (!ip)
			continue;
		err = frame(&name, n, pid, ip);
		each(b, start, name.data, name.len);
	}
	count_nameless(n, pid, err);
	buf_free(&name);
}

static void json_part(struct buf *b, size_t start, const char *s, size_t n)
{
	if (b->len > start)
		buf_chr(b, ',');
	buf_json(b, s, n);
}

void fold_part(struct buf *b, size_t line, const char *s, size_t n)
{
	if (b->len > line)
		buf_chr(b, ';');

	size_t start = b->len;

	buf_safe(b, s, n);
	for (char *p = b->data + start; start < b->len && p < b->data + b->len; p++)
		if (*p == ';')
			*p = ':';
}

static void list_line(struct buf *b, const struct names *n, u64 ip, const char *name, size_t len)
{
	buf_fill(b, ' ', n->indent ?: 4);
	if (n->addresses && ip)
		buf_fmt(b, "%-16llx ", ip);
	buf_safe(b, name, len);
	buf_chr(b, '\n');
}

void stack_list(struct buf *b, struct names *n, u32 pid, const struct bcc_stack *s)
{
	struct buf name = {};
	int err = 0;

	if (!s)
		list_line(b, n, 0, missed(pid), strlen(missed(pid)));
	for (u64 i = 0; s && i < s->n; i++) {
		if (!s->ip[i])
			continue;
		err = frame(&name, n, pid, s->ip[i]);
		list_line(b, n, s->ip[i], name.data, name.len);
	}
	count_nameless(n, pid, err);
	buf_free(&name);
}

void stack_fold(struct buf *b, struct names *n, u32 pid, const struct bcc_stack *s)
{
	each_frame(b, n, pid, s, true, fold_part);
}

void stack_json(struct buf *b, struct names *n, u32 pid, const struct bcc_stack *s)
{
	buf_chr(b, '[');
	each_frame(b, n, pid, s, false, json_part);
	buf_chr(b, ']');
}

/* Stacks by id */

static bool fetch(struct run *run, u64 id, struct bcc_stack *s)
{
	s->n = 0;
	if (id == STACK_LOST ||
	    (id != STACK_NONE && bpf_map_lookup_elem(run_map(run, "stacks"), &id, s) &&
	     bpf_map_lookup_elem(run_map(run, "stacks_spare"), &id, s)))
		return false;
	if (s->n > STACK_DEPTH)
		s->n = STACK_DEPTH;
	return true;
}

const struct bcc_stack *stack_kernel(struct run *run, struct names *n, u64 id)
{
	static struct bcc_stack s;

	if (!fetch(run, id, &s))
		return NULL;
	stack_trim(n, &s);
	return &s;
}

const struct bcc_stack *stack_user(struct run *run, u64 id)
{
	static struct bcc_stack s;

	return fetch(run, id, &s) ? &s : NULL;
}

/* Rows */

static bool is_stack(const struct column *c)
{
	return c->as == AS_KSTACK || c->as == AS_USTACK;
}

/* Of an event: it is in there, unless it is not wanted or the event ends before it. */
static const struct bcc_stack *stack_inside(const struct column *c, const char *row, size_t size)
{
	static struct bcc_stack s;

	s.n = 0;
	if (col_shown(c) && c->offset + sizeof(s) <= size)
		memcpy(&s, row + c->offset, sizeof(s));
	if (s.n > STACK_DEPTH)
		return NULL;
	if (c->as == AS_KSTACK)
		stack_trim(&names, &s);
	return &s;
}

/* The stack in a column, and in *pid whose it is. */
static const struct bcc_stack *stack_in(struct run *run, const struct column *c, const char *row,
					size_t size, u32 *pid)
{
	const struct column *owner = col_find(run->applet->columns, "pid");
	u64 id;

	*pid = c->as == AS_KSTACK ? OF_KERNEL : owner ? col_u64(owner, row) : 0;
	if (c->size == sizeof(struct bcc_stack))
		return stack_inside(c, row, size);
	id = col_u64(c, row);
	return c->as == AS_USTACK ? stack_user(run, id) : stack_kernel(run, &names, id);
}

/* Writes the row's stacks by `write`; between the kernel's and the user's, if both are there, -d.
 */
static void stacks(struct buf *b, struct run *run, const char *row, size_t size, enum col_as first,
		   const char *delimiter,
		   void (*write)(struct buf *, struct names *, u32, const struct bcc_stack *))
{
	const enum col_as order[] = { first, first == AS_KSTACK ? AS_USTACK : AS_KSTACK };
	bool any = false;

	for (int i = 0; i < 2; i++)
		for (const struct column *c = run->applet->columns; c && c->key; c++) {
			const struct bcc_stack *s;
			u32 pid;

			if (c->as != order[i] || !col_shown(c))
				continue;
			s = stack_in(run, c, row, size, &pid);
			if (any && s && s->n && common.delimited)
				buf_str(b, delimiter);
			any = s && s->n;
			write(b, &names, pid, s);
		}
}

static void value_text(struct buf *b, const struct applet *a, const char *row, size_t size)
{
	const struct column *c = col_find(a->columns, a->sort ?: "");

	if (c)
		col_text(b, c, row, size);
	else
		buf_chr(b, '1'); /* events */
}

/* Who and how much, below the frames. */
static void footer(struct buf *b, const struct applet *a, const char *row, size_t size)
{
	const struct column *comm = col_find(a->columns, "comm");
	const struct column *id = col_find(a->columns, "tid") ?: col_find(a->columns, "pid");

	if (comm) {
		buf_fmt(b, "    %-16s ", "-");
		col_text(b, comm, row, size);
		if (id) {
			buf_str(b, " (");
			col_text(b, id, row, size);
			buf_chr(b, ')');
		}
		buf_chr(b, '\n');
	}
	buf_str(b, "        ");
	value_text(b, a, row, size);
	buf_str(b, "\n\n");
}

void stacks_text(struct buf *b, struct run *run, const void *row, size_t size)
{
	stacks(b, run, row, size, AS_KSTACK, "    --\n", stack_list);
}

static void print_list(struct buf *b, struct run *run, const char *row, size_t size)
{
	const struct applet *a = run->applet;

	stacks_text(b, run, row, size);
	if (a->footer)
		a->footer(b, a->columns, row);
	else
		footer(b, a, row, size);
}

/* Adds to a line that fold_part() began. */
static void fold_more(struct buf *b, struct names *n, u32 pid, const struct bcc_stack *s)
{
	struct buf part = {};

	stack_fold(&part, n, pid, s);
	if (part.len && b->len && b->data[b->len - 1] != '\n')
		buf_chr(b, ';');
	buf_mem(b, part.data ?: "", part.len);
	buf_free(&part);
}

static void print_folded(struct buf *b, struct run *run, const char *row, size_t size)
{
	const struct applet *a = run->applet;
	const struct column *comm = col_find(a->columns, "comm");
	struct buf line = {};

	if (comm) {
		const char *s = row + comm->offset;

		fold_part(&line, 0, s, strnlen(s, comm->size));
	}
	stacks(&line, run, row, size, AS_USTACK, ";-", fold_more);
	buf_mem(b, line.data ?: "", line.len);
	buf_chr(b, ' ');
	value_text(b, a, row, size);
	buf_chr(b, '\n');
	buf_free(&line);
}

void stacks_json(struct buf *b, struct run *run, const void *row, size_t size)
{
	const struct applet *a = run->applet;

	for (const struct column *c = a->columns; c && c->key; c++) {
		const struct bcc_stack *s;
		u32 pid;

		if (!is_stack(c))
			continue;
		s = stack_in(run, c, row, size, &pid);
		buf_fmt(b, "\"%s\":", col_key(c));
		stack_json(b, &names, pid, s);
		buf_chr(b, ',');
	}
}

static void print_json(struct buf *b, struct run *run, const char *row, size_t size, u64 now)
{
	buf_chr(b, '{');
	if (now) {
		buf_str(b, "\"time\":\"");
		clock_iso(b, now);
		buf_str(b, "\",");
	}
	stacks_json(b, run, row, size);
	cols_json(b, run->applet->columns, row, size);
	buf_str(b, "}\n");
}

void stacks_csv_header(struct buf *b, const struct applet *a)
{
	for (const struct column *c = a->columns; c && c->key; c++)
		if (is_stack(c))
			buf_fmt(b, "%s,", col_key(c));
}

static void csv_header(struct buf *b, const struct applet *a, bool stamped)
{
	if (stamped)
		buf_str(b, "time,");
	stacks_csv_header(b, a);
	cols_header(b, a->columns, false);
}

void stacks_csv(struct buf *b, struct run *run, const void *row, size_t size)
{
	const struct applet *a = run->applet;
	struct buf folded = {};

	for (const struct column *c = a->columns; c && c->key; c++) {
		const struct bcc_stack *s;
		u32 pid;

		if (!is_stack(c))
			continue;
		folded.len = 0;
		s = stack_in(run, c, row, size, &pid);
		stack_fold(&folded, &names, pid, s);
		buf_csv(b, folded.data ?: "", folded.len);
		buf_chr(b, ',');
	}
	buf_free(&folded);
}

static void print_csv(struct buf *b, struct run *run, const char *row, size_t size, u64 now)
{
	if (now) {
		clock_iso(b, now);
		buf_chr(b, ',');
	}
	stacks_csv(b, run, row, size);
	cols_csv(b, run->applet->columns, row, size);
	buf_chr(b, '\n');
}

static void print_rows(struct run *run, const struct rows *rows)
{
	u64 now = clock_mono();

	if (out_mode == OUT_TEXT && run->applet->print_rows) {
		run->applet->print_rows(run, rows, now);
		return;
	}
	for (size_t i = 0; i < rows->n; i++) {
		const char *row = rows_at(rows, i);

		if (out_mode == OUT_JSON)
			print_json(&out, run, row, rows->size, now);
		else if (out_mode == OUT_CSV)
			print_csv(&out, run, row, rows->size, now);
		else if (common.folded)
			print_folded(&out, run, row, rows->size);
		else
			print_list(&out, run, row, rows->size);
		out_row();
	}
}

/* Events */

bool stack_events(const struct applet *a)
{
	for (const struct column *c = a->columns; c && c->key; c++)
		if (is_stack(c))
			return true;
	return false;
}

void stack_event_header(struct buf *b, const struct applet *a)
{
	if (out_mode == OUT_CSV)
		csv_header(b, a, false);
	else if (out_mode == OUT_TEXT && !common.folded && !a->line)
		cols_header(b, a->columns, false);
}

void stack_event(struct buf *b, struct run *run, const void *row, size_t size)
{
	if (out_mode == OUT_JSON) {
		print_json(b, run, row, size, 0);
	} else if (out_mode == OUT_CSV) {
		print_csv(b, run, row, size, 0);
	} else if (common.folded) {
		print_folded(b, run, row, size);
	} else {
		if (!run->applet->line || !run->applet->line(b, row))
			cols_row(b, run->applet->columns, row, size, 0);
		stacks_text(b, run, row, size);
	}
}

/* Runs */

static u64 captured[8192]; /* keys of stack_pids, at a place each; one lost costs another look */

/*
 * What processes have mapped is noted while they live, so that their frames have names when they
 * are gone. Those that live for less than a tenth of a second are missed; waking for each would be
 * no cheaper than what is traced.
 */
static void capture(struct run *run)
{
	u64 end = clock_mono() + CAPTURE_NS;
	int fd = run_map(run, "stack_pids");
	u64 key;

	while (clock_mono() < end && !bpf_map_get_next_key(fd, NULL, &key)) {
		u64 *known = &captured[key * 0x9e3779b97f4a7c15ull % ARRAY_SIZE(captured)];

		if (*known != key)
			usyms_refresh(names.user, key >> 32);
		*known = key;
		if (bpf_map_delete_elem(fd, &key))
			break;
	}
}

/* Before 6.1 a map without its memory set aside can deadlock in programs that trace. */
void stacks_prepare(struct run *run)
{
	struct bpf_map *map = bpf_object__find_map_by_name(run->obj, "stacks");
	u32 entries = common.stack_storage ?: bpf_map__max_entries(map);

	bpf_map__set_max_entries(map, entries);
	if (kernel_release() >= KERNEL_VERSION(6, 1, 0))
		bpf_map__set_map_flags(map, BPF_F_NO_PREALLOC);
	if (common.stack_storage > 16384 && run->applet->run == run_stacks)
		rows_limit(run, "counts", common.stack_storage);
	if (common.stack_depth)
		object_set(run->obj, "stack_depth", &common.stack_depth,
			   sizeof(common.stack_depth));
}

struct names *stacks_named(void)
{
	return &names;
}

void stacks_names(struct run *run)
{
	names = (struct names){ .kernel = ksyms_new(NULL),
				.user = usyms_new(),
				.offsets = common.offsets,
				.addresses = common.addresses,
				.indent = run->applet->indent };
	if (!names.kernel || !names.user)
		die_err(ENOMEM, "cannot name stacks");
	for (u32 i = 0; i < common.filter.pids.n && !run->child; i++)
		usyms_capture(names.user, common.filter.pids.id[i]);
}

void stacks_nameless(void)
{
	int err = names.kernel ? ksyms_err(names.kernel) : 0;

	if (err)
		warn("no kernel symbols: %s", ksyms_why(names.kernel));
	if (names.gone)
		warn("%llu user stacks without names: their processes were gone before they were "
		     "looked at",
		     names.gone);
	if (names.refused)
		warn("%llu user stacks without names: their processes may not be looked at",
		     names.refused);
}

void run_stacks(struct run *run)
{
	struct rows rows = {};
	bool more;

	stacks_names(run);
	if (out_mode == OUT_CSV)
		csv_header(&out, run->applet, true);
	run->often = capture;
	do {
		more = run_wait(run);
		if (!more)
			run_detach(run);
		capture(run);
		rows_take(run, "counts", &rows);
		rows_sort(run, &rows);
		if (!common.folded)
			report_begin(run);
		print_rows(run, &rows);
		out_flush();
	} while (more);
	stacks_nameless();
	free(rows.data);
}
