/* run_stacks(): the table `counts`, whose keys hold ids of the map `stacks`; listed or folded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/version.h>
#include <bpf/bpf.h>

#include "applet.h"
#include "clock.h"
#include "debugfile.h"
#include "demangle.h"
#include "intern.h"
#include "kernel.h"
#include "object.h"
#include "out.h"
#include "pictures.h"
#include "report.h"
#include "rows.h"
#include "stacks.h"
#include "stackset.h"
#include "sums.h"
#include "unwound.h"

#define CAPTURE_NS   1000000    /* of each 20 ms: 5 % */
#define STACKS_MAP   16384      /* stacks in the kernel at a time, and keys of `counts` */
#define STACKS_SPARE 65536      /* the same where their memory is taken as they come */
#define KEPT_WORDS   (64 << 20) /* of stacks taken from there: 512 MB, then they stay there */

static struct names names;
static struct sums taken; /* from `counts` since the last report */

/* Names */

static bool is_ours(const char *name)
{
	static const char *const prefixes[] = {
		"bpf_get_stack", "bpf_prog_",      "__bpf_prog_",     "___bpf_prog_",
		"bpf_trace_run", "__bpf_trace_",   "bpf_dispatcher_", "bpf_trampoline_",
		"__traceiter_",  "trace_call_bpf", "perf_trace_",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (starts_with(name, prefixes[i]))
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

/* `call`: it is where a call returns to, as all addresses of a stack but the innermost. */
static int find(struct names *n, u32 pid, u64 ip, bool call, struct sym *sym)
{
	if (pid == OF_KERNEL)
		return (call ? ksyms_find_call : ksyms_find)(n->kernel, ip, sym);
	return (call ? usyms_find_call : usyms_find)(n->user, pid, ip, sym);
}

/* The text of one frame; 0, or why it is without a name. */
static int name_frame(struct buf *b, struct names *n, u32 pid, u64 ip, bool call, struct sym *sym)
{
	int err = find(n, pid, ip, call, sym);

	b->len = 0;
	sym_text(b, sym, n->offsets);
	if (sym->kind == SYM_NONE && n->offsets) {
		buf_chr(b, '+');
		buf_hex(b, ip);
	}
	if (pid == OF_KERNEL && n->annotations)
		buf_str(b, "_[k]");
	return err;
}

static void count_nameless(struct names *n, u32 pid, int err)
{
	if (pid != OF_KERNEL && err == -ESRCH)
		n->gone++;
	else if (pid != OF_KERNEL && (err == -EPERM || err == -EACCES))
		n->refused++;
}

static void each_note(const char *text, stack_each each, void *to)
{
	const struct frame f = { .name = text, .len = strlen(text), .kind = FRAME_NOTE };

	each(to, &f);
}

/* Frames that were named in this report: most come many times. */
static struct named {
	u64 ip;
	u32 pid, report;
	bool call;
	int err;
	struct sym sym;
	struct buf text;
} lately[2048];

static const struct named *named(struct names *n, u32 pid, u64 ip, bool call)
{
	struct named *at = &lately[(ip ^ pid * 0x9e3779b9u) * 0x9e3779b97f4a7c15ull >> 53];

	if (n->report && at->report == n->report && at->ip == ip && at->pid == pid &&
	    at->call == call && !at->err)
		return at;
	at->ip = ip;
	at->pid = pid;
	at->call = call;
	at->report = n->report;
	at->err = name_frame(&at->text, n, pid, ip, call, &at->sym);
	return at;
}

void stack_frames(struct names *n, u32 pid, const struct bcc_stack *s, bool root_first,
		  stack_each each, void *to)
{
	int err = 0;

	if (!s) {
		each_note(pid == OF_KERNEL ? "[Missed Kernel Stack]" : "[Missed User Stack]", each,
			  to);
		return;
	}
	for (u64 i = 0; i < s->n; i++) {
		u64 depth = root_first ? s->n - 1 - i : i, ip = s->ip[depth];
		const struct named *at;
		struct frame f = { .ip = ip };

		if (!ip)
			continue;
		at = named(n, pid, ip, depth != 0);
		err = at->err;
		f.sym = &at->sym;
		f.name = at->text.data;
		f.len = at->text.len;
		f.kind = pid == OF_KERNEL           ? FRAME_KERNEL
			 : at->sym.kind == SYM_NONE ? FRAME_NOTE
			 : at->sym.kind == SYM_AREA ? FRAME_JIT
						    : FRAME_USER;
		each(to, &f);
	}
	count_nameless(n, pid, err);
}

/* Forms of a stack */

struct writer {
	struct buf *b;
	const struct names *names;
	size_t start; /* of the line, of the array */
};

static void json_frame(void *to, const struct frame *f)
{
	struct writer *w = to;

	if (w->b->len > w->start)
		buf_chr(w->b, ',');
	buf_json(w->b, f->name, f->len);
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

static void fold_frame(void *to, const struct frame *f)
{
	struct writer *w = to;

	fold_part(w->b, w->start, f->name, f->len);
}

static void list_frame(void *to, const struct frame *f)
{
	struct writer *w = to;

	buf_fill(w->b, ' ', w->names->indent ?: 4);
	if (w->names->addresses && f->ip)
		buf_fmt(w->b, "%-16llx ", f->ip);
	buf_safe(w->b, f->name, f->len);
	buf_chr(w->b, '\n');
}

void stack_list(struct buf *b, struct names *n, u32 pid, const struct bcc_stack *s)
{
	struct writer w = { b, n, b->len };

	stack_frames(n, pid, s, false, list_frame, &w);
}

void stack_fold(struct buf *b, struct names *n, u32 pid, const struct bcc_stack *s)
{
	struct writer w = { b, n, b->len };

	stack_frames(n, pid, s, true, fold_frame, &w);
}

void stack_json(struct buf *b, struct names *n, u32 pid, const struct bcc_stack *s)
{
	struct writer w = { b, n, b->len + 1 };

	buf_chr(b, '[');
	stack_frames(n, pid, s, false, json_frame, &w);
	buf_chr(b, ']');
}

/* Stacks by id */

static struct stackset kept; /* what was taken out of the maps */

static bool fetch(struct run *run, u64 id, struct bcc_stack *s)
{
	s->n = 0;
	if (id == STACK_LOST || (id != STACK_NONE && !stackset_get(&kept, id, s) &&
				 bpf_map_lookup_elem(run_map(run, "stacks"), &id, s) &&
				 bpf_map_lookup_elem(run_map(run, "stacks_spare"), &id, s)))
		return false;
	if (s->n > STACK_DEPTH)
		s->n = STACK_DEPTH;
	return true;
}

/* Kernels before 5.6 have no batches. */
static void take_singly(int fd)
{
	struct bcc_stack s;
	u64 id;

	while (!bpf_map_get_next_key(fd, NULL, &id)) {
		if (!bpf_map_lookup_elem(fd, &id, &s))
			stackset_add(&kept, id, &s);
		if (bpf_map_delete_elem(fd, &id))
			break;
	}
}

/*
 * Empties the map into `kept`. Stacks do not change and ids are made of them: one that a program
 * holds the id of, or adds once more, is the same.
 */
static void take_stacks(struct run *run)
{
	int fd = run_map(run, "stacks"), err;
	u32 max = 64, batch, n;
	struct bcc_stack *s = xcalloc(max, sizeof(*s));
	u64 *ids = xcalloc(max, sizeof(*ids));
	void *in = NULL;

	do {
		n = max;
		err = bpf_map_lookup_and_delete_batch(fd, in, &batch, ids, s, &n, NULL);
		if (err == -ENOSPC) { /* a hash bucket holds more than the batch does */
			max *= 2;
			s = xrealloc(s, max * sizeof(*s));
			ids = xrealloc(ids, max * sizeof(*ids));
			continue;
		}
		if (err && err != -ENOENT)
			break;
		for (u32 i = 0; i < n; i++)
			stackset_add(&kept, ids[i], &s[i]);
		in = &batch;
	} while (err != -ENOENT);
	if (err && err != -ENOENT)
		take_singly(fd);
	free(s);
	free(ids);
}

const struct bcc_stack *stack_kernel(struct run *run, struct names *n, u64 id)
{
	static struct bcc_stack s;

	if (!fetch(run, id, &s))
		return NULL;
	stack_trim(n, &s);
	return &s;
}

/* Of kernel stacks that show the same frames: the id that was seen first. */
static u64 first_id(struct run *run, u64 id)
{
	static struct stackset firsts; /* by the hash of what is shown: a stack that is one id */
	const struct bcc_stack *s = stack_kernel(run, &names, id);
	struct bcc_stack first = { 1, { id } };
	u64 hash;

	if (!s || !s->n)
		return id;
	hash = hash_bytes((const char *)s->ip, s->n * sizeof(*s->ip));
	stackset_add(&firsts, hash, &first);
	return stackset_get(&firsts, hash, &first) ? first.ip[0] : id;
}

const struct bcc_stack *stack_user(struct run *run, u64 id)
{
	static struct bcc_stack s;
	enum stack_end end;

	if (common.unwind && id != STACK_NONE)
		return unwound_get(id, &s, &end) ? &s : NULL;
	return fetch(run, id, &s) ? &s : NULL;
}

static enum stack_end end_of(u64 id, u32 pid, const struct bcc_stack *s)
{
	static struct bcc_stack again;
	enum stack_end end;

	return common.unwind && unwound_get(id, &again, &end) ? end : stack_end(&names, pid, s);
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
	const struct column *owner = col_find(run->applet->columns, c->owner ?: "pid");
	u64 id;

	*pid = c->as == AS_KSTACK ? OF_KERNEL : owner ? col_u64(owner, row) : 0;
	if (c->size == sizeof(struct bcc_stack))
		return stack_inside(c, row, size);
	id = col_u64(c, row);
	return c->as == AS_USTACK ? stack_user(run, id) : stack_kernel(run, &names, id);
}

/* The same without what no process can have called: see stack_trim_user(). */
static const struct bcc_stack *trimmed(struct run *run, const struct column *c, const char *row,
				       size_t size, u32 *pid, enum stack_end *end)
{
	struct bcc_stack *s = (void *)stack_in(run, c, row, size, pid);

	*end = STACK_COMPLETE;
	if (s && s->n && c->as == AS_USTACK) {
		*end = end_of(c->size == sizeof(u64) ? col_u64(c, row) : 0, *pid, s);
		stack_trim_user(&names, *pid, s);
	}
	return s;
}

static bool is_cut(enum stack_end end)
{
	return end == STACK_TRUNCATED || end == STACK_DEEP || end == STACK_LARGE;
}

/* A row on its way to text: what it is written to and what was written of it. */
struct walk {
	struct run *run;
	const char *row;
	size_t size;
	stack_each each;
	void *to;
	bool any;         /* the last stack had frames */
	const char *dash; /* of -d: to be written if the next one has some, too */
};

static const struct stack_part dash = { PART_DASH };

static void walk_stack(struct walk *w, const struct column *c, bool root_first)
{
	u32 pid;
	enum stack_end end;
	const struct bcc_stack *s = trimmed(w->run, c, w->row, w->size, &pid, &end);
	bool some = s && s->n, cut = is_cut(end);

	if (some && w->any && w->dash && common.delimited)
		w->each(w->to,
			&(struct frame){ w->dash, strlen(w->dash), FRAME_NOTE, .part = &dash });
	w->any = some;
	w->dash = NULL;
	if (cut && root_first)
		each_note("[truncated]", w->each, w->to);
	stack_frames(&names, pid, s, root_first, w->each, w->to);
	if (cut && !root_first)
		each_note("[truncated]", w->each, w->to);
}

static void walk_name(struct walk *w, const struct stack_part *part)
{
	const struct column *c = col_find(w->run->applet->columns, part->key);
	const struct column *id = col_find(w->run->applet->columns, part->id ?: "pid");
	struct frame f = { .kind = FRAME_TASK, .part = part, .row = w->row };
	struct buf text = {};

	if (!c)
		return;
	f.name = w->row + c->offset;
	f.len = strnlen(f.name, c->size);
	if (c->type != COL_STRING) {
		col_text(&text, c, w->row, w->size);
		f.name = text.data ?: "";
		f.len = text.len;
	}
	f.pid = id ? col_u64(id, w->row) : 0;
	if (f.len || part->label)
		w->each(w->to, &f);
	buf_free(&text);
}

static void walk_part(struct walk *w, const struct stack_part *part, bool root_first)
{
	enum col_as as = part->what == PART_KERNEL ? AS_KSTACK : AS_USTACK;

	switch (part->what) {
	case PART_NAME: walk_name(w, part); break;
	case PART_TEXT: each_note(part->key, w->each, w->to); break;
	case PART_DASH: w->dash = part->key; break;
	default:
		for (const struct column *c = w->run->applet->columns; c && c->key; c++)
			if (c->as == as && col_shown(c) &&
			    (!part->key || !strcmp(part->key, col_key(c))))
				walk_stack(w, c, root_first ^ part->flip);
	}
}

static void walk_row(struct run *run, const char *row, size_t size, bool folded, stack_each each,
		     void *to)
{
	static const struct stack_part list[] = {
		{ PART_KERNEL }, { PART_DASH, "--" }, { PART_USER }, { 0 }
	};
	static const struct stack_part fold[] = {
		{ PART_NAME, "comm" }, { PART_USER }, { PART_DASH, "-" }, { PART_KERNEL }, { 0 }
	};
	const struct stack_layout *layout = run->applet->layout;
	const struct stack_part *part = folded   ? layout ? layout->fold : fold
					: layout ? layout->list
						 : list;
	struct walk w = { run, row, size, each, to };

	for (; part->what; part++)
		walk_part(&w, part, folded);
}

/* How many of what is counted a row stands for. */
static u64 times(const struct applet *a, const char *row)
{
	const struct column *c = col_find(a->columns, "count");

	return c ? col_u64(c, row) : 1;
}

void stacks_row(struct run *run, const void *row, size_t size, u64 weight)
{
	u64 n = times(run->applet, row);

	for (const struct column *c = run->applet->columns; c && c->key; c++) {
		enum stack_end end;
		const struct bcc_stack *s;
		u32 pid;

		if (c->as != AS_USTACK || !col_shown(c))
			continue;
		s = trimmed(run, c, row, size, &pid, &end);
		if (s && s->n)
			names.ends[end] += n;
	}
	if (pictures_wanted())
		walk_row(run, row, size, true, picture_frame, NULL);
	if (pictures_wanted())
		picture_row(weight);
}

static void value_text(struct buf *b, const struct applet *a, const char *row, size_t size)
{
	const struct column *c = col_find(a->columns, a->sort ?: "");

	if (c)
		col_text(b, c, row, size);
	else
		buf_chr(b, '1'); /* events */
}

static void name_line(struct buf *b, const char *label, const char *name, size_t len,
		      const struct column *id, bool brackets, const char *row, size_t size)
{
	buf_fmt(b, "    %-16s ", label);
	buf_safe(b, name, len);
	if (id) {
		buf_str(b, brackets ? " (" : " ");
		col_text(b, id, row, size);
		buf_str(b, brackets ? ")" : "");
	}
	buf_chr(b, '\n');
}

/* Who and how much, below the frames. */
static void footer(struct buf *b, const struct applet *a, const char *row, size_t size)
{
	const struct column *comm = col_find(a->columns, "comm");
	const struct column *id = col_find(a->columns, "tid") ?: col_find(a->columns, "pid");

	if (comm && !a->layout)
		name_line(b, "-", row + comm->offset, strnlen(row + comm->offset, comm->size), id,
			  true, row, size);
	buf_str(b, "        ");
	value_text(b, a, row, size);
	buf_str(b, "\n\n");
}

struct list {
	struct writer w;
	const struct applet *applet;
	size_t size;
};

/* A frame, or the name of a task with its label. */
static void list_item(void *to, const struct frame *f)
{
	struct list *list = to;

	if (f->part && f->part->label)
		name_line(list->w.b, f->part->label, f->name, f->len,
			  f->part->id ? col_find(list->applet->columns, f->part->id) : NULL, false,
			  f->row, list->size);
	else if (f->part == &dash) /* wherever frames are */
		buf_fmt(list->w.b, "    %s\n", f->name);
	else
		list_frame(&list->w, f);
}

static void name_ids(struct buf *b, const char *what, const struct bcc_ids *ids)
{
	buf_fmt(b, "%s ", what);
	for (u32 i = 0; i < ids->n; i++)
		buf_fmt(b, "%s%u", i ? "," : "", ids->id[i]);
}

void stacks_whose(struct buf *b, const char *others, bool user_only, bool kernel_only)
{
	if (common.filter.pids.n)
		name_ids(b, "PID", &common.filter.pids);
	else if (common.filter.tids.n)
		name_ids(b, "TID", &common.filter.tids);
	else
		buf_str(b, others);
	buf_fmt(b, " by %s stack", user_only ? "user" : kernel_only ? "kernel" : "user + kernel");
}

void stacks_text(struct buf *b, struct run *run, const void *row, size_t size)
{
	struct list list = { { b, &names, b->len }, run->applet, size };

	walk_row(run, row, size, false, list_item, &list);
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

static void print_folded(struct buf *b, struct run *run, const char *row, size_t size)
{
	struct writer w = { b, &names, b->len };

	walk_row(run, row, size, true, fold_frame, &w);
	buf_chr(b, ' ');
	value_text(b, run->applet, row, size);
	buf_chr(b, '\n');
}

/*
 * Where a frame can be named from without the files at hand: "BUILDID+0x12", or by path; else the
 * address.
 */
static void place(struct buf *b, const struct frame *f)
{
	const struct sym *sym = f->sym;

	if (!sym || (sym->kind != SYM_FILE && sym->kind != SYM_VDSO)) {
		buf_hex(b, f->ip);
		return;
	}
	for (u32 i = 0; i < sym->build_id_len; i++)
		buf_fmt(b, "%02x", sym->build_id[i]);
	if (!sym->build_id_len)
		buf_str(b, sym->module);
	buf_chr(b, '+');
	buf_hex(b, sym->address);
}

struct placed {
	struct writer names, places;
};

static void json_placed(void *to, const struct frame *f)
{
	struct placed *w = to;
	struct buf at = {};

	json_frame(&w->names, f);
	place(&at, f);
	json_frame(&w->places, &(struct frame){ .name = at.data, .len = at.len });
	buf_free(&at);
}

/* A user stack, and below another key its places. */
static void user_json(struct buf *b, const char *key, u32 pid, const struct bcc_stack *s)
{
	struct buf places = {};
	struct placed w;

	buf_fmt(b, "\"%s\":[", key);
	w = (struct placed){ { b, &names, b->len }, { &places, &names, 0 } };
	stack_frames(&names, pid, s, false, json_placed, &w);
	buf_fmt(b, "],\"%s_at\":[", key);
	buf_mem(b, places.data ?: "", places.len);
	buf_str(b, "],");
	buf_free(&places);
}

static void kernel_json(struct buf *b, const char *key, const struct bcc_stack *s)
{
	buf_fmt(b, "\"%s\":", key);
	stack_json(b, &names, OF_KERNEL, s);
	buf_chr(b, ',');
}

void stacks_json(struct buf *b, struct run *run, const void *row, size_t size)
{
	const struct applet *a = run->applet;

	bool cut = false;

	for (const struct column *c = a->columns; c && c->key; c++) {
		const struct bcc_stack *s;
		enum stack_end end;
		u32 pid;

		if (!is_stack(c))
			continue;
		s = trimmed(run, c, row, size, &pid, &end);
		if (pid == OF_KERNEL)
			kernel_json(b, col_key(c), s);
		else
			user_json(b, col_key(c), pid, s);
		cut |= is_cut(end);
	}
	if (cut)
		buf_str(b, "\"truncated\":true,");
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

void stacks_begin(struct run *run)
{
	if (out_mode == OUT_CSV)
		csv_header(&out, run->applet, true);
}

void stacks_csv(struct buf *b, struct run *run, const void *row, size_t size)
{
	const struct applet *a = run->applet;
	struct buf folded = {};

	for (const struct column *c = a->columns; c && c->key; c++) {
		const struct bcc_stack *s;
		enum stack_end end;
		u32 pid;

		if (!is_stack(c))
			continue;
		folded.len = 0;
		s = trimmed(run, c, row, size, &pid, &end);
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

static u64 weight_of(const struct applet *a, const char *row)
{
	const struct column *c = col_find(a->columns, a->sort ?: "");

	return c ? col_u64(c, row) : 1;
}

static void print_row(struct run *run, const char *row, size_t size, u64 now)
{
	if (out_mode == OUT_JSON)
		print_json(&out, run, row, size, now);
	else if (out_mode == OUT_CSV)
		print_csv(&out, run, row, size, now);
	else if (common.folded)
		print_folded(&out, run, row, size);
	else if (!pictures_wanted())
		print_list(&out, run, row, size);
	out_row();
}

void stacks_print(struct run *run, const struct rows *rows)
{
	static u32 reports;
	u64 now = clock_mono();
	bool own = out_mode == OUT_TEXT && run->applet->print_rows;

	names.report = ++reports;
	for (size_t i = 0; i < rows->n; i++) {
		const char *row = rows_at(rows, i);

		stacks_row(run, row, rows->size, weight_of(run->applet, row));
		if (!own)
			print_row(run, row, rows->size, now);
	}
	if (own && !pictures_wanted())
		run->applet->print_rows(run, rows, now);
	names.report = 0;
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
	else if (out_mode == OUT_TEXT && !common.folded && !a->line && !pictures_wanted())
		cols_header(b, a->columns, false);
}

void stack_event(struct buf *b, struct run *run, const void *row, size_t size)
{
	stacks_row(run, row, size, 1);
	if (out_mode == OUT_TEXT && pictures_wanted() && !common.folded)
		return;
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
 * are gone, and again when they map other code. Those that live for less than 20 ms are missed;
 * waking for each would be no cheaper than what is traced.
 */
static void capture(struct run *run)
{
	u64 end = clock_mono() + CAPTURE_NS;
	int fd = run_map(run, "stack_pids");
	u64 key;

	while (clock_mono() < end && !bpf_map_get_next_key(fd, NULL, &key)) {
		u64 *known = &captured[key * 0x9e3779b97f4a7c15ull % ARRAY_SIZE(captured)];

		if (*known != key) {
			usyms_refresh(names.user, key >> 32);
			unwound_refresh(key >> 32);
		}
		*known = key;
		if (bpf_map_delete_elem(fd, &key))
			break;
	}
}

/* Rows since the last time; those of copies that are alike are one afterwards. */
static void take_rows(struct run *run, struct rows *rows)
{
	rows_take(run, "counts", rows);
	if (!common.unwind)
		return;
	unwound_take(run);
	unwound_settle(run, rows);
}

/* Takes from the maps before they are full: new stacks and keys then find room. */
static void relieve(struct run *run)
{
	volatile u32 *stacks = object_var(run->obj, "stacks_new");
	volatile u32 *keys = object_var(run->obj, "counts_new");
	struct rows rows = {};

	if (stacks && !common.stack_storage && *stacks > STACKS_MAP / 4 && kept.used < KEPT_WORDS) {
		*stacks = 0;
		take_stacks(run);
	}
	if (keys && run->applet->run == run_stacks && *keys > STACKS_MAP / 4) {
		*keys = 0;
		take_rows(run, &rows);
		sums_add(&taken, &rows);
		free(rows.data);
	}
}

static void often(struct run *run)
{
	capture(run);
	unwound_take(run);
	relieve(run);
}

/*
 * Before 6.1 a map without its memory set aside can deadlock in programs that trace. Since then
 * there is room for what comes while user space waits for RCU, to exchange the buffers, and reads.
 */
void stacks_prepare(struct run *run)
{
	struct bpf_map *map = bpf_object__find_map_by_name(run->obj, "stacks");
	bool spare = kernel_release() >= KERNEL_VERSION(6, 1, 0);

	bpf_map__set_max_entries(map, common.stack_storage ?: spare ? STACKS_SPARE : STACKS_MAP);
	if (spare)
		bpf_map__set_map_flags(map, BPF_F_NO_PREALLOC);
	if (spare && run->applet->run == run_stacks)
		rows_spare(run, "counts", STACKS_SPARE);
	unwound_prepare(run);
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
				.annotations = common.annotations,
				.indent = run->applet->indent };
	if (!names.kernel || !names.user)
		die_err(ENOMEM, "cannot name stacks");
	debugfile_dir(common.debug_dir);
	demangle_off = common.no_demangle;
	if (common.lines)
		usyms_want_lines(names.user);
	for (u32 i = 0; i < common.filter.pids.n && !run->child; i++) {
		usyms_capture(names.user, common.filter.pids.id[i]);
		unwound_refresh(common.filter.pids.id[i]);
	}
	if (bpf_object__find_map_by_name(run->obj, "stack_pids"))
		run->often = often;
}

/* "98.2%", never rounded up to 100. */
static double percent(u64 part, u64 all)
{
	return all ? part * 1000 / all / 10.0 : 100;
}

static bool can_unwind(const struct applet *a)
{
	for (const struct opt *o = a->options; o && (o->name || o->letter); o++)
		if (o->name && !strcmp(o->name, "unwind"))
			return true;
	return false;
}

static void report_ends(const struct applet *a)
{
	const u64 *n = names.ends;
	u64 all = n[STACK_COMPLETE] + n[STACK_TRUNCATED] + n[STACK_DEEP] + n[STACK_LARGE];

	if (n[STACK_COMPLETE] == all)
		return;
	warn("stacks complete: %.1f%% (%llu of %llu user stacks truncated)",
	     percent(n[STACK_COMPLETE], all), all - n[STACK_COMPLETE], all);
	if (n[STACK_TRUNCATED])
		warn("%llu end early: code without %s%s", n[STACK_TRUNCATED],
		     common.unwind ? "call frame information, or gone too soon" : "frame pointers",
		     !common.unwind && can_unwind(a) ? " (--unwind goes on)" : "");
	if (n[STACK_LARGE])
		warn("%llu are larger than the %d KB that are copied", n[STACK_LARGE],
		     (STACK_PAGES - 1) * STACK_PAGE / 1024);
	if (n[STACK_DEEP])
		warn("%llu are deeper than the %d frames that are kept", n[STACK_DEEP],
		     STACK_DEPTH);
}

/* What can be done for code that has no names. */
static void report_hints(void)
{
	struct buf hint = {};

	for (u32 i = 0; names.user && usyms_hint(names.user, i, &hint); i++) {
		warn("%.*s", (int)hint.len, hint.data);
		hint.len = 0;
	}
	buf_free(&hint);
}

void stacks_nameless(struct run *run)
{
	int err = names.kernel ? ksyms_err(names.kernel) : 0;

	out_flush();
	pictures_write(run->applet);
	report_ends(run->applet);
	if (err)
		warn("no kernel symbols: %s", ksyms_why(names.kernel));
	if (names.gone)
		warn("%llu user stacks without names: their processes were gone before they were "
		     "looked at",
		     names.gone);
	if (names.refused)
		warn("%llu user stacks without names: their processes may not be looked at",
		     names.refused);
	report_hints();
}

struct rows *stacks_merged(struct run *run, struct rows *rows)
{
	static struct sums merged;
	bool any = false;

	for (const struct column *c = run->applet->columns; c && c->key; c++) {
		if (c->as != AS_KSTACK || c->size != sizeof(u64) || c->offset >= rows->value)
			continue;
		for (size_t i = 0; i < rows->n; i++) {
			char *at = rows_at(rows, i) + c->offset;
			u64 id = col_u64(c, rows_at(rows, i)), first = first_id(run, id);

			any |= first != id;
			memcpy(at, &first, sizeof(first));
		}
	}
	sums_clear(&merged);
	if (any)
		sums_add(&merged, rows);
	return any ? &merged.rows : rows;
}

void run_stacks(struct run *run)
{
	struct rows rows = {};
	bool more;

	stacks_begin(run);
	do {
		more = run_wait(run);
		if (!more)
			run_detach(run);
		capture(run);
		take_rows(run, &rows);
		if (taken.rows.n || common.unwind)
			sums_add(&taken, &rows);
		if (!common.stack_storage && kept.used < KEPT_WORDS)
			take_stacks(run);

		struct rows *all = stacks_merged(run, taken.rows.n ? &taken.rows : &rows);

		rows_sort(run, all);
		if (!common.folded && !pictures_wanted())
			report_begin(run);
		stacks_print(run, all);
		out_flush();
		sums_clear(&taken);
	} while (more);
	stacks_nameless(run);
	free(rows.data);
}
