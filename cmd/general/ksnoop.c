/*
 * ksnoop: calls of kernel functions and their returns, with values by their types. Each FUNC
 * becomes a program for its entry, its return or both (lib/probe/program.h), which send records;
 * types say here what is in them.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW struct ksnoop_event
#include "applet.h"
#include "expr/expr.h"
#include "kbtf.h"
#include "nesting.h"
#include "out.h"
#include "probe/program.h"
#include "typedump.h"

#define FUNCS  32
#define VALUES 32
#define BYTES  4096  /* of a struct, at most; fewer if there are many */
#define RECORD 24000 /* bytes of all */
#define TEXT   256   /* of a string */

/* Head of a record; the values follow. */
struct ksnoop_event {
	u64 faults; /* a bit for each value that could not be read */
	u64 time;   /* CLOCK_MONOTONIC, ns */
	u32 func;
	u32 tid, pid, uid, cpu;
	bool returned;
	char comm[COMM_LEN];
	u64 task;  /* what tells threads apart, whatever the namespace; where values begin */
	u64 pidns; /* inode */
};

/* An ARG: a value, and what is behind it if it is a pointer; of a predicate, what it is about. */
struct arg {
	struct expr_source source, test; /* test.text NULL: none */
	bool at_return;
	char *label;
};

/* A value of a record. */
struct shown {
	const char *label;
	char *text;          /* what is evaluated */
	char *behind;        /* where the value points to; NULL: nowhere that can be shown */
	enum expr_want want; /* of what is behind */
	const char *type;    /* of what is shown */
	u32 id;              /* its number in BTF, or 0 */
	struct expr_value value, at;
};

/* What happens at a function's entry, or at its return. */
struct side {
	bool used;
	char *name; /* "p:tcp_connect" */
	struct program program;
	struct shown shown[VALUES];
	int nshown;
	char *tests[VALUES];
	struct expr_value held[VALUES]; /* of -s: whether they are true */
	int ntests;
};

static struct func {
	char *text; /* as it was given, "return" replaced by the language's word */
	char *name;
	struct arg args[VALUES];
	int nargs;
	struct side side[2]; /* entry, return */
} funcs[FUNCS];
static int nfuncs;

static struct programs programs;
static int events; /* number of a map */
static struct typedump *types;
static struct nesting *nesting;

static bool info, in_order, verbose;
static size_t event_size; /* of the one that is printed */

/* --- The command line --- */

static int take_word(const char *arg, void *dst, char why[128])
{
	static bool commanded;

	(void)dst;
	if (!commanded && !nfuncs && (!strcmp(arg, "info") || !strcmp(arg, "trace"))) {
		info = *arg == 'i';
		commanded = true;
		return 0;
	}
	if (!commanded && !nfuncs && !strcmp(arg, "help")) {
		opt_help(&out, applet_find("ksnoop"));
		out_flush();
		exit(0);
	}
	if (nfuncs == FUNCS) {
		snprintf(why, 128, "too many functions");
		return -1;
	}
	funcs[nfuncs++].text = xasprintf("%s", arg);
	return 0;
}

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_TID(0),
	OPT_UID(0),
	OPT_NAME(0),
	{ .letter = 'P',
	  .name = "pages",
	  .arg = "PAGES",
	  .help = "size of the event buffer in pages",
	  .type = OPT_U64,
	  .dst = &common.buffer,
	  .min = 1,
	  .max = 262144,
	  .scale = 4096 },
	OPT('s', "stack", NULL, &in_order,
	    "trace the functions only where each is called, directly or not, by the one before"),
	OPT('d', "debug", NULL, &common.verbose, "say what is loaded and attached"),
	OPT('v', "verbose", NULL, &verbose, "print PID namespace and name of the thread, too"),
	OPT_DURATION(0),
	OPT_EXEC,
	{ 0 },
};

static const struct opt positionals[] = {
	OPT_PARSED(0, "func", NULL, take_word, NULL,
		   "[trace|info], then NAME or NAME(ARG, ...) of kernel functions; an ARG is a "
		   "parameter, `return`, or an expression of either, and may be compared: "
		   "skb->len > 128",
		   .needed = true, .many = true),
	{ 0 },
};

static void __attribute__((noreturn)) wrong(const char *text, const struct expr_error *err)
{
	struct buf b = {};

	buf_fmt(&b, "%s\n", err->text);
	expr_caret(&b, text, err);
	if (b.data[b.len - 1] == '\n')
		b.len--;
	die("%.*s", (int)b.len, b.data);
}

static void __attribute__((noreturn)) refuse(const struct func *f, u32 at, const char *why)
{
	struct expr_error err = { .pos = at, .len = 1 };
	struct buf b = {};

	expr_caret(&b, f->text, &err);
	if (b.data[b.len - 1] == '\n')
		b.len--;
	opt_error("%s\n%.*s", why, (int)b.len, b.data);
}

static bool is_word(char c)
{
	return isalnum((u8)c) || c == '_' || c == '$';
}

/* `return` is no name in expressions; what stands for it there is as long. */
static bool name_return(char *text, u32 start, u32 end)
{
	bool found = false;

	for (u32 i = start; i + 6 <= end; i++) {
		if (strncmp(text + i, "return", 6) || is_word(text[i - 1]) || is_word(text[i + 6]))
			continue;
		memcpy(text + i, "retval", 6);
		found = true;
	}
	return found;
}

/* The end of what begins at `at`: a comma or parenthesis that is not in brackets. */
static u32 end_of_arg(const char *text, u32 at)
{
	for (int depth = 0; text[at]; at++) {
		if (!depth && (text[at] == ',' || text[at] == ')'))
			break;
		depth +=
			(text[at] == '(' || text[at] == '[') - (text[at] == ')' || text[at] == ']');
	}
	return at;
}

/* Where a comparison is, outside brackets: not -> or a shift. `end` if there is none. */
static u32 find_comparison(const char *text, u32 at, u32 end)
{
	for (int depth = 0; at < end; at++) {
		char c = text[at], next = text[at + 1];

		depth += (c == '(' || c == '[') - (c == ')' || c == ']');
		if (depth)
			continue;
		if ((c == '-' && next == '>') || ((c == '<' || c == '>') && next == c))
			at++;
		else if (c == '<' || c == '>' || ((c == '=' || c == '!') && next == '='))
			return at;
	}
	return end;
}

static struct expr_source trimmed(const char *text, u32 start, u32 end)
{
	while (start < end && isspace((u8)text[start]))
		start++;
	while (end > start && isspace((u8)text[end - 1]))
		end--;
	return (struct expr_source){ text, start, end };
}

static char *text_of(struct expr_source s)
{
	return xasprintf("%.*s", (int)(s.end - s.start), s.text + s.start);
}

static void take_arg(struct func *f, u32 start, u32 end)
{
	struct arg *a = &f->args[f->nargs];
	struct expr_source whole = trimmed(f->text, start, end);
	u32 cut = find_comparison(f->text, whole.start, whole.end);

	if (f->nargs == VALUES)
		refuse(f, start, "these are too many values");
	f->nargs++;
	a->source = trimmed(f->text, whole.start, cut);
	if (a->source.start == a->source.end)
		refuse(f, start, "a parameter or `return` was expected");
	a->label = text_of(a->source);
	a->at_return = name_return(f->text, whole.start, whole.end);
	if (cut < whole.end)
		a->test = whole;
}

/* NAME or NAME(ARG, ...) */
static void parse(struct func *f)
{
	u32 at = 0, end;

	while (is_word(f->text[at]) || f->text[at] == '.')
		at++;
	if (!at)
		refuse(f, at, "the name of a kernel function was expected");
	f->name = xasprintf("%.*s", (int)at, f->text);
	if (f->text[at] == '(') {
		do {
			end = end_of_arg(f->text, at + 1);
			if (!f->text[end])
				refuse(f, at, "the closing parenthesis is missing");
			take_arg(f, at + 1, end);
			at = end;
		} while (f->text[at] == ',');
		at++;
	}
	if (f->text[at])
		refuse(f, at, "NAME or NAME(ARG, ...) was expected");
}

static void open_types(const char *module)
{
	int err = typedump_open(&types, common.btf, module);

	if (err)
		die_err(err, "cannot read the kernel's types (BTF)");
}

static void print_declarations(void)
{
	for (int i = 0; i < nfuncs; i++) {
		const char *module = common.btf ? NULL : kbtf_module(funcs[i].name, &(int){ 0 });

		open_types(module);
		if (typedump_function(types, &out, funcs[i].name))
			die("the kernel's types have no function %s", funcs[i].name);
		buf_str(&out, ";\n");
		typedump_close(types);
	}
	out_flush();
}

static void check(void)
{
	for (int i = 0; i < nfuncs; i++) {
		parse(&funcs[i]);
		for (int j = 0; in_order && j < i; j++)
			if (!strcmp(funcs[i].name, funcs[j].name))
				opt_error("-s: %s is there twice", funcs[i].name);
	}
	if (!info)
		return;
	print_declarations();
	exit(0);
}

/* --- What is evaluated --- */

/* An ARG of the entry is known at the return if it was saved. */
static char *spelled(const struct arg *a, struct expr_source source, bool saved)
{
	return xasprintf(saved && !a->at_return ? "$entry(%.*s)" : "%.*s",
			 (int)(source.end - source.start), source.text + source.start);
}

/* Evaluates for its type alone. */
static bool try(const struct expr_scope *scope, struct expr_source source, enum expr_want want,
		struct expr_value *v, struct expr_error *err)
{
	struct expr_prog *code = expr_prog_new(scope);
	bool ok;

	expr_record(code, 0, sizeof(u64), 0);
	ok = expr_value(code, source, want, BYTES, v, err);
	expr_prog_free(code);
	return ok;
}

static char *type_name(const struct expr_value *v)
{
	struct buf b = {};

	expr_type_name(programs.types, &b, v->type);
	buf_chr(&b, '\0');
	return b.data;
}

/* What can be shown behind a pointer: text, or a thing whose size is known. */
static void look_behind(struct shown *s, const struct expr_scope *scope, struct expr_source source,
			bool saved)
{
	char *behind =
		xasprintf("*(%.*s)", (int)(source.end - source.start), source.text + source.start);
	struct expr_error ignored;
	struct expr_value v;

	if (expr_type_text(programs.types, s->value.type)) {
		s->behind = s->text;
		s->want = EXPR_AS_TEXT;
	} else if (try(scope, expr_source(behind), EXPR_CUT, &v, &ignored)) {
		s->behind = saved ? xasprintf("$entry(%s)", behind) : behind;
		s->want = EXPR_CUT;
		s->type = type_name(&v);
		s->id = expr_type_id(v.type);
	}
}

static void show(const struct func *f, struct side *to, const struct arg *a,
		 const struct expr_scope *scope, bool saved)
{
	struct shown *s = &to->shown[to->nshown++];
	struct expr_error err;

	if (!try(scope, a->source, EXPR_CUT, &s->value, &err))
		wrong(f->text, &err);
	s->label = a->label;
	s->text = spelled(a, a->source, saved);
	s->type = type_name(&s->value);
	s->id = s->value.kind == EXPR_POINTER ? 0 : expr_type_id(s->value.type);
	if (s->value.kind == EXPR_POINTER)
		look_behind(s, scope, a->source, saved && !a->at_return);
}

static struct shape *shape_of(struct side *s)
{
	return &s->program.shapes[0];
}

static void resolve(const struct func *f, struct side *s, const char *kind)
{
	struct expr_error err;

	s->name = xasprintf("%s:%s", kind, f->name);
	if (program_parse(&s->program, s->name, &err) ||
	    program_resolve(&programs, &s->program, false, &err)) {
		err.pos -= err.pos < 2 ? err.pos : 2; /* without the kind */
		wrong(f->text, &err);
	}
	s->used = true;
}

static void show_all(struct func *f)
{
	const struct expr_scope *scope = &shape_of(&f->side[0])->scope;

	for (int i = 0; i < scope->nnames && f->nargs < VALUES; i++) {
		const char *name = scope->names[i].name;

		if (!*name || (!strncmp(name, "arg", 3) && isdigit((u8)name[3])))
			continue; /* arg1 to arg6: what every function has */
		f->args[f->nargs++] =
			(struct arg){ .source = expr_source(name), .label = xasprintf("%s", name) };
	}
	if (expr_type_size(shape_of(&f->side[1])->retval.type))
		f->args[f->nargs++] = (struct arg){ .source = expr_source("retval"),
						    .label = xasprintf("return"),
						    .at_return = true };
}

/*
 * Where predicates are about both entry and return, what the entry gives is saved, and told at the
 * return, if all of them hold.
 */
static void plan(struct func *f)
{
	bool at_entry = !f->nargs, at_return = !f->nargs, tests = false, saved;

	for (int i = 0; i < f->nargs; i++) {
		at_entry |= !f->args[i].at_return;
		at_return |= f->args[i].at_return;
		tests |= f->args[i].test.text != NULL;
	}
	saved = at_entry && at_return && tests && !in_order;
	if ((at_entry && !saved) || in_order)
		resolve(f, &f->side[0], "p");
	if (at_return || in_order)
		resolve(f, &f->side[1], "r");
	if (!f->nargs)
		show_all(f);
	for (int i = 0; i < f->nargs; i++) {
		const struct arg *a = &f->args[i];
		struct side *to = &f->side[a->at_return || saved];
		const struct expr_scope *scope =
			saved && !a->at_return ? &to->program.entry.scope : &shape_of(to)->scope;

		show(f, to, a, scope, saved);
		if (a->test.text)
			to->tests[to->ntests++] = spelled(a, a->test, saved);
	}
}

static void put_head(struct expr_prog *code, u32 func, bool returned, struct expr_error *err)
{
	struct expr_value ignored;

	expr_put_time(code, offsetof(ROW, time));
	expr_put_const(code, offsetof(ROW, func), func, 4);
	expr_put_ids(code, offsetof(ROW, tid));
	expr_put_uid(code, offsetof(ROW, uid));
	expr_put_cpu(code, offsetof(ROW, cpu));
	expr_put_const(code, offsetof(ROW, returned), returned, 1);
	expr_put_comm(code, offsetof(ROW, comm));
	expr_value(code, expr_source("(unsigned long)$task"), EXPR_AS_INT, 0, &ignored, err);
	expr_value(code,
		   expr_source("(unsigned long)$task->thread_pid->numbers[$task->thread_pid->level]"
			       ".ns->ns.inum"),
		   EXPR_AS_INT, 0, &ignored, err);
}

static u32 room(const struct side *s)
{
	u32 n = 1;

	for (int i = 0; i < s->nshown; i++)
		n += 1 + (s->shown[i].behind != NULL);
	return RECORD / n < BYTES ? RECORD / n : BYTES;
}

static bool add_values(struct side *s, struct expr_prog *code, struct expr_error *err)
{
	for (int i = 0; i < s->nshown; i++) {
		struct shown *v = &s->shown[i];

		if (!expr_value(code, expr_source(v->text), EXPR_CUT, room(s), &v->value, err) ||
		    (v->behind &&
		     !expr_value(code, expr_source(v->behind), v->want,
				 v->want == EXPR_AS_TEXT ? TEXT : room(s), &v->at, err)))
			return false;
	}
	return true;
}

static bool make(struct program *p, u32 shape, struct expr_prog *code, void *ctx,
		 struct expr_error *err)
{
	struct func *f = ctx;
	bool returned = p == &f->side[1].program;
	struct side *s = &f->side[returned];

	(void)shape;
	expr_not(code, EXPR_PID, getpid()); /* what we print is no reason to print more */
	for (int i = 0; !in_order && i < s->ntests; i++)
		if (!expr_filter(code, expr_source(s->tests[i]), programs.lost[LOST_TEXT], err))
			return false;
	expr_record(code, p->record, offsetof(ROW, task), offsetof(ROW, faults));
	put_head(code, f - funcs, returned, err);
	for (int i = 0; in_order && i < s->ntests; i++)
		if (!expr_value(code, expr_source(s->tests[i]), EXPR_AS_INT, 0, &s->held[i], err))
			return false;
	if (!add_values(s, code, err))
		return false;
	if (common.filter.perf_buffer)
		expr_output_perf(code, events, programs.lost[LOST_EVENT]);
	else
		expr_output(code, events, programs.lost[LOST_EVENT]);
	return true;
}

static void compile(struct func *f, struct side *s)
{
	struct expr_error err = {};
	struct program *p = &s->program;

	for (int i = 0; i < s->ntests; i++)
		if (!program_need(p, expr_source(s->tests[i]), &err))
			wrong(s->tests[i], &err);
	for (int i = 0; i < s->nshown; i++)
		if (!program_need(p, expr_source(s->shown[i].text), &err) ||
		    (s->shown[i].behind && !program_need(p, expr_source(s->shown[i].behind), &err)))
			wrong(s->shown[i].text, &err);
	if (program_compile(&programs, p, make, f, &err))
		die("%s: %s", f->text, err.text);
}

static void prepare(struct run *run)
{
	(void)run;
	if (!nfuncs) /* bcctool check */
		return;
	programs = (struct programs){ .filter = &common.filter, .verbose = common.verbose };
	if (programs_init(&programs, common.btf))
		die("the kernel's types (BTF) are not to be had");
	events = programs_map(&programs, -1);
	for (int i = 0; i < nfuncs; i++)
		plan(&funcs[i]);
	for (int i = 0; i < nfuncs; i++)
		for (int j = 0; j < 2; j++)
			if (funcs[i].side[j].used)
				compile(&funcs[i], &funcs[i].side[j]);
	expr_types_free(programs.types);
	programs.types = NULL;
	open_types(programs.module);
	if (in_order)
		nesting = nesting_new(nfuncs);
}

static void detach(struct run *run)
{
	for (int i = 0; i < nfuncs; i++)
		for (int j = 0; j < 2; j++)
			if (funcs[i].side[j].used)
				run->lost[LOST_PROBE] += program_detach(&funcs[i].side[j].program);
	for (int kind = 0; kind < LOST_KINDS; kind++)
		run->lost[kind] += programs_lost(&programs, kind);
	if (nesting)
		run->lost[LOST_START] += nesting_lost(nesting);
}

static void print_header(void)
{
	if (out_mode == OUT_TEXT && verbose)
		buf_fmt(&out, "%16s %4s %10s %8s %16s %32s\n", "TIME", "CPU", "NAMESPACE", "PID",
			"COMM", "FUNCTION/ARGS");
	else if (out_mode == OUT_TEXT)
		buf_fmt(&out, "%16s %4s %8s %s\n", "TIME", "CPU", "PID", "FUNCTION/ARGS");
}

/* Returns first: no call is seen to begin whose return is not probed. */
static void attached(struct run *run)
{
	struct buf why = {};
	u32 refused;

	programs.maps[events] = run_map(run, "events");
	run->detach = detach;
	for (int j = 1; j >= 0; j--)
		for (int i = 0; i < nfuncs; i++) {
			struct program *p = &funcs[i].side[j].program;

			if (!funcs[i].side[j].used)
				continue;
			if (program_load(&programs, p, &why) || program_attach(p, &refused, &why))
				die("cannot attach to %s: %.*s", funcs[i].name, (int)why.len,
				    why.data);
		}
	buf_free(&why);
	print_header();
}

/* --- Events --- */

static bool is_known(const struct ksnoop_event *e, const struct expr_value *v)
{
	return v->offset + v->size <= event_size && !(e->faults >> v->fault & 1);
}

static u64 number_at(const void *e, const struct expr_value *v)
{
	int unused = 64 - 8 * (int)v->size;
	u64 n = 0;

	memcpy(&n, (const char *)e + v->offset, v->size);
	return v->is_signed ? (u64)((s64)(n << unused) >> unused) : n;
}

static void print_plain(struct buf *b, const struct ksnoop_event *e, const struct expr_value *v,
			const char *type)
{
	const char *bytes = (const char *)e + v->offset;

	if (v->kind == EXPR_STRING) {
		buf_chr(b, '"');
		buf_safe(b, bytes, strnlen(bytes, v->size));
		buf_chr(b, '"');
		return;
	}
	buf_fmt(b, "(%s)", type);
	if (v->kind == EXPR_POINTER)
		buf_hex(b, number_at(e, v));
	else if (v->kind == EXPR_INT && v->is_signed)
		buf_s64(b, number_at(e, v));
	else if (v->kind == EXPR_INT)
		buf_u64(b, number_at(e, v));
	for (u32 i = 0; v->kind == EXPR_BYTES && i < v->size; i++)
		buf_fmt(b, "%c%02x", i ? ' ' : '{', (u8)bytes[i]);
	if (v->kind == EXPR_BYTES)
		buf_chr(b, '}');
}

/* In one line, or at `indent`. */
static void print_value(struct buf *b, const struct ksnoop_event *e, const struct shown *s,
			const struct expr_value *v, int indent)
{
	size_t start = b->len;

	if (!is_known(e, v)) {
		buf_fmt(b, "%*s(fault)", indent > 0 ? indent : 0, "");
		return;
	}
	if (s->id)
		typedump_value(types, b, s->id, (const char *)e + v->offset, v->size, indent);
	if (b->len > start)
		return;
	buf_fmt(b, "%*s", indent > 0 ? indent : 0, "");
	print_plain(b, e, v, s->type);
}

static void print_shown(struct buf *b, const struct ksnoop_event *e, const struct shown *s,
			int indent)
{
	bool behind = s->behind && is_known(e, &s->value);

	buf_fmt(b, "%s = ", s->label);
	if (behind)
		buf_fmt(b, "*(%#llx)", number_at(e, &s->value));
	if (indent >= 0)
		buf_chr(b, '\n');
	else if (behind)
		buf_chr(b, ' ');
	print_value(b, e, s, behind ? &s->at : &s->value, indent);
}

static const struct side *side_of(const struct ksnoop_event *e)
{
	return &funcs[e->func].side[e->returned];
}

static bool line(struct buf *b, const void *row)
{
	const struct ksnoop_event *e = row;
	const struct side *s = side_of(e);

	buf_fmt(b, "%16llu %4u ", e->time, e->cpu);
	if (verbose) {
		buf_fmt(b, "%10llu %8u ", e->pidns, e->pid);
		buf_fill(b, ' ', COMM_LEN - (int)strnlen(e->comm, COMM_LEN));
		buf_safe(b, e->comm, strnlen(e->comm, COMM_LEN));
		buf_fmt(b, " %32s(\n", funcs[e->func].name);
	} else {
		buf_fmt(b, "%8u %s(\n", e->pid, funcs[e->func].name);
	}
	for (int i = 0; i < s->nshown; i++) {
		buf_fmt(b, "%s%35s", i ? ",\n" : "", "");
		print_shown(b, e, &s->shown[i], 36);
	}
	buf_fmt(b, "%s%31s);\n\n", s->nshown ? "\n" : "", "");
	return true;
}

static void func_text(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_str(b, funcs[*(const u32 *)field].name);
}

/* "skb->len = (unsigned int)137, return = (int)0" */
static void args_text(struct buf *b, const void *field, const void *row)
{
	const struct side *s = side_of(row);

	(void)field;
	for (int i = 0; i < s->nshown; i++) {
		buf_str(b, i ? ", " : "");
		print_shown(b, row, &s->shown[i], -1);
	}
}

static const struct column columns[] = {
	COL(time, "TIME", 16, "when it was, in nanoseconds since boot"),
	COL(cpu, "CPU", 4, "CPU"),
	COL(pidns, "NAMESPACE", 10, "PID namespace", .show = &verbose),
	COL(pid, "PID", 8, "process ID"),
	COL_DATA(tid, "thread ID"),
	COL_DATA(uid, "user ID"),
	COL(comm, "COMM", 16, "thread name", .show = &verbose),
	COL(func, "FUNCTION", 0, "function", .name = func_text),
	COL_DATA(returned, "whether it is the return"),
	{ .key = "args",
	  .head = "ARGS",
	  .help = "what was asked for, with types; what is zero in a struct is left out",
	  .offset = offsetof(ROW, faults),
	  .size = sizeof(u64),
	  .name = args_text },
	{ 0 },
};

static bool all_hold(const struct ksnoop_event *e)
{
	const struct side *s = side_of(e);

	for (int i = 0; i < s->ntests; i++)
		if (!is_known(e, &s->held[i]) || !number_at(e, &s->held[i]))
			return false;
	return true;
}

static void print_kept(void *ctx, const void *row, size_t size)
{
	(void)ctx;
	event_size = size;
	if (out_mode == OUT_TEXT)
		line(&out, row);
	else
		cols_row(&out, columns, row, size, 0);
}

/* -s: whether the call, or its return, is of a chain that is whole. */
static bool is_of_chain(const struct ksnoop_event *e, size_t size)
{
	bool whole = e->returned ? nesting_leave(nesting, e->task, e->func)
				 : nesting_enter(nesting, e->task, e->func, all_hold(e), e, size,
						 print_kept, NULL);

	event_size = size;
	return whole && all_hold(e);
}

static const void *event(struct run *run, const void *row, size_t *size)
{
	const struct ksnoop_event *e = row;

	(void)run;
	event_size = *size;
	if (*size < sizeof(*e) || e->func >= (u32)nfuncs || (nesting && !is_of_chain(e, *size)))
		return NULL;
	return row;
}

static const struct example examples[] = {
	{ "info ip_send_skb", "the parameters of a function, and what it returns" },
	{ "ip_send_skb", "its calls with all parameters, and its returns" },
	{ "'ip_send_skb(skb->len, return)'", "a member of a parameter, and the return value" },
	{ "'ip_send_skb(skb->len > 128, skb)'", "calls with more than 128 bytes" },
	{ "'vfs_read(count, return < 0)'", "calls that fail" },
	{ "-s tcp_sendmsg __tcp_transmit_skb ip_output", "only where one is called in the other" },
	{ 0 },
};

static const struct applet ksnoop = {
	.name = "ksnoop",
	.summary = "show arguments and return values of kernel functions, by their types",
	.doc = "Prints each call of the functions with its parameters, and each return with what "
	       "is returned; structs whole, but for what is zero in them. With a list of "
	       "arguments it prints those alone, at the entry, the return or both. Calls are left "
	       "out if a comparison is not true; where comparisons and values are of entry and "
	       "return, both are printed at the return, the entry's as they were.\n\n"
	       "With -s every call of the functions costs an event, also those that are not "
	       "printed.",
	.object = "trace",
	.positionals = positionals,
	.options = options,
	.columns = columns,
	.examples = examples,
	.check = check,
	.prepare = prepare,
	.attached = attached,
	.event = event,
	.line = line,
	.run = run_events,
};

APPLET(ksnoop);
