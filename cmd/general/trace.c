/*
 * trace: each argument is a probe with what to do there: a filter, a format and its values. They
 * become a program each (lib/expr/), which sends a record; here records become messages.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/version.h>
#include <bpf/bpf.h>

#define ROW struct trace_event
#include "applet.h"
#include "clock.h"
#include "format.h"
#include "kernel.h"
#include "ksyms.h"
#include "out.h"
#include "probe/program.h"
#include "stacks.h"
#include "trace.h"

#define PROBES 64
#define VALUES 32

/* What is shown of a place, and where in the record it is. */
struct shown {
	struct format format;
	struct expr_value values[VALUES];
};

static struct probe_text {
	const char *text;
	struct expr_source filter, format, args[VALUES]; /* empty: none */
	int nargs;
	struct program program;
	struct shown *shown; /* of each shape */
} probes[PROBES];
static int nprobes;

static struct programs programs;
static int events, passed; /* numbers of maps */

static bool self, elapsed, unix_time, clock_time, print_cpu, kernel_stack, user_stack;
static bool aggregate, binary_cmp, dump, dump_only;
static u32 max_events, string_size = 80;
static const char *message_filter, *symbol_files;
static bool show_time;
static struct buf message;

static int take_probe(const char *arg, void *dst, char why[128])
{
	(void)dst;
	if (nprobes == PROBES) {
		snprintf(why, 128, "too many probes");
		return -1;
	}
	probes[nprobes++].text = arg;
	return 0;
}

static int take_header(const char *arg, void *dst, char why[128])
{
	(void)dst;
	(void)why;
	programs.macros = programs.macros ?: expr_macros_new();
	expr_macros_read(programs.macros, arg); /* one that is not there has no macros */
	return 0;
}

static const struct opt options[] = {
	OPT_BUFFER_PAGES('b'),
	OPT_PID('p'),
	OPT_TID('L'),
	OPT_PPID(0),
	OPT_UID(0),
	OPT('v', "verbose", NULL, &dump, "print the instructions of the programs"),
	OPT('Z', "string-size", "BYTES", &string_size, "cut strings to this (default 80)", .min = 1,
	    .max = EXPR_STRING_MAX),
	OPT('S', "include-self", NULL, &self, "do not leave out this process itself"),
	OPT('M', "max-events", "N", &max_events, "stop after this many lines", .min = 1),
	OPT('t', "timestamp", NULL, &elapsed, "print the seconds since the start"),
	OPT('u', "unix-timestamp", NULL, &unix_time, "with -t, print seconds since 1970"),
	OPT('T', "time", NULL, &clock_time, "print the time"),
	OPT('C', "print_cpu", NULL, &print_cpu, "print the CPU"),
	OPT('c', "cgroup-path", "PATH", &common.cgroup, "trace this control group only"),
	OPT_NAME('n'),
	OPT('f', "msg-filter", "TEXT", &message_filter, "print lines whose message contains TEXT"),
	OPT('B', "bin_cmp", NULL, &binary_cmp,
	    "let STRCMP() compare as many bytes as its string has, whatever follows"),
	OPT('s', "sym_file_list", "FILES", &symbol_files,
	    "accepted as in BCC: the files of all processes are looked at anyway"),
	OPT('K', "kernel-stack", NULL, &kernel_stack, "print the kernel's stack"),
	OPT('U', "user-stack", NULL, &user_stack, "print the user's stack"),
	OPT('a', "address", NULL, &common.addresses, "print addresses in stacks"),
	OPT_PARSED('I', "include", "HEADER", take_header, NULL,
		   "know the macros of this header (below /usr/include), if it is there"),
	OPT('A', "aggregate", NULL, &aggregate, "count equal messages, and print them at the end"),
	OPT(0, "dump", NULL, &dump_only, "print the instructions of the programs, and end"),
	OPT_DURATION(0),
	OPT_EXEC,
	{ 0 },
};

static const struct opt positionals[] = {
	OPT_PARSED(0, "probe", NULL, take_probe, NULL,
		   "[p:|r:][LIBRARY:]NAME, t:CATEGORY:EVENT or u:LIBRARY:PROBE, then "
		   "[(SIGNATURE)] [ (FILTER)] [\"FORMAT\"[, VALUE ...]]",
		   .needed = true, .many = true),
	{ 0 },
};

/* --- Columns --- */

static void time_text(struct buf *b, const void *field, const void *row)
{
	u64 time = *(const u64 *)field;

	(void)row;
	if (clock_time || !elapsed)
		clock_hms(b, time);
	else if (unix_time)
		buf_fixed(b, clock_wall(time), NSEC_PER_SEC, 6);
	else
		buf_fixed(b, time > clock_start ? time - clock_start : 0, NSEC_PER_SEC, 6);
}

static void address_text(struct buf *b, bool user, u64 address, void *ctx)
{
	const struct trace_event *e = ctx;
	struct sym sym = { .kind = SYM_NONE, .address = address };

	if (user)
		usyms_find(stacks_named()->user, e->pid, address, &sym);
	else
		ksyms_find(stacks_named()->kernel, address, &sym);
	if (sym.kind == SYM_NONE)
		buf_hex(b, address);
	else
		sym_text(b, &sym, true);
}

static const struct shape *shape_of(const struct trace_event *e)
{
	return &probes[e->probe].program.shapes[e->shape];
}

static bool by_address(const struct program *p, const struct shape *s)
{
	return s->sites.n > 1 && !*p->spec.library &&
	       (p->spec.kind == SPEC_ENTRY || p->spec.kind == SPEC_RETURN);
}

/* "tcp_sendmsg"; of "block:block_rq_issue" and "provider:probe" the last part. */
static void function_text(struct buf *b, const void *field, const void *row)
{
	const struct trace_event *e = row;
	const struct program *p = &probes[e->probe].program;
	const struct shape *s = shape_of(e);
	const char *name;
	struct sym sym;

	(void)field;
	if (by_address(p, s)) {
		if (ksyms_find(stacks_named()->kernel, e->site, &sym) || !sym.name)
			buf_hex(b, e->site);
		else
			buf_safe(b, sym.name, strlen(sym.name));
		return;
	}
	name = e->site < s->sites.n ? s->sites.at[e->site].name : "?";
	if (p->spec.kind == SPEC_TRACEPOINT || p->spec.kind == SPEC_USDT)
		name = strrchr(name, ':') ? strrchr(name, ':') + 1 : name;
	buf_safe(b, name, strlen(name));
}

/* It was made when the event came, from safe parts. */
static void message_text(struct buf *b, const void *field, const void *row)
{
	(void)field;
	(void)row;
	buf_mem(b, message.data ?: "", message.len);
}

static const struct column columns[] = {
	COL(time, "TIME", -8, "when it fired", .as = AS_TIME, .text = time_text,
	    .show = &show_time),
	COL(cpu, "CPU", -3, "CPU", .show = &print_cpu),
	COL(pid, "PID", -7, "process ID"),
	COL(tid, "TID", -7, "thread ID"),
	COL_DATA(uid, "user ID"),
	COL(comm, "COMM", -15, "thread name"),
	{ .key = "func",
	  .head = "FUNC",
	  .width = -16,
	  .help = "function, tracepoint or USDT probe",
	  .offset = offsetof(ROW, site),
	  .size = sizeof(u64),
	  .name = function_text },
	{ .key = "message",
	  .head = "-",
	  .help = "the message",
	  .offset = offsetof(ROW, faults),
	  .size = sizeof(u64),
	  .name = message_text },
	COL_STACK(kernel, "KERNEL", AS_KSTACK, &kernel_stack, "the kernel's stack, with -K"),
	COL_STACK(user, "USER", AS_USTACK, &user_stack, "the user's stack, with -U"),
	{ 0 },
};

static const struct example examples[] = {
	{ "do_nanosleep", "sleeps, with the function's parameters" },
	{ "'do_sys_openat2 \"%s\", filename'", "opens, with what is opened" },
	{ "'r::do_sys_openat2 (retval < 0) \"%d\", retval'", "opens that fail" },
	{ "'tcp_sendmsg (size > 1000) \"%d bytes to port %d\", size, sk->sk_num'",
	  "a filter, and a member of a struct" },
	{ "'do_nanosleep(struct hrtimer_sleeper *t) \"task: %x\", t->task'",
	  "parameters as the user names them" },
	{ "'c:open (arg2 == 42) \"%s\", arg1'", "a function of libc" },
	{ "'t:block:block_rq_complete \"sectors=%d\", args->nr_sector'", "a tracepoint" },
	{ "'u:pthread:pthread_create \"start at %U\", arg3'", "a USDT probe" },
	{ 0 },
};

/* --- The command line --- */

static void __attribute__((noreturn))
wrong(const struct probe_text *t, const struct expr_error *err, bool usage)
{
	struct buf b = {};

	buf_fmt(&b, "%s\n", err->text);
	expr_caret(&b, t->text, err);
	if (b.len && b.data[b.len - 1] == '\n')
		b.len--;
	if (usage)
		opt_error("%.*s", (int)b.len, b.data);
	die("%.*s", (int)b.len, b.data);
}

static void __attribute__((noreturn))
wrong_at(const struct probe_text *t, u32 pos, u32 len, const char *why)
{
	struct expr_error err = { .pos = pos, .len = len };

	snprintf(err.text, sizeof(err.text), "%s", why);
	wrong(t, &err, true);
}

static u32 blanks(const char *text, u32 at)
{
	while (isspace((u8)text[at]))
		at++;
	return at;
}

/* Past a literal that begins at `at`. */
static u32 past_quotes(const struct probe_text *t, u32 at)
{
	u32 start = at;
	char quote = t->text[at++];

	while (t->text[at] && t->text[at] != quote)
		at += t->text[at] == '\\' && t->text[at + 1] ? 2 : 1;
	if (!t->text[at])
		wrong_at(t, start, 1, "the closing quote is missing");
	return at + 1;
}

/* The end of what begins at `at`: an unnested one of `ends`, or the end of the text. */
static u32 find_end(const struct probe_text *t, u32 at, const char *ends)
{
	int depth = 0;

	while (t->text[at]) {
		char c = t->text[at];

		if (!depth && strchr(ends, c))
			break;
		if (c == '"' || c == '\'') {
			at = past_quotes(t, at);
			continue;
		}
		depth += (c == '(' || c == '[') - (c == ')' || c == ']');
		at++;
	}
	return at;
}

static void take_filter(struct probe_text *t, u32 *at)
{
	u32 end = find_end(t, *at + 1, ")");

	if (!t->text[end])
		wrong_at(t, *at, 1, "the closing parenthesis of the filter is missing");
	t->filter = (struct expr_source){ t->text, *at + 1, end };
	*at = end + 1;
}

static void take_values(struct probe_text *t, u32 *at)
{
	while (t->text[*at] == ',') {
		u32 start = blanks(t->text, *at + 1), end = find_end(t, start, ",");

		*at = end;
		while (end > start && isspace((u8)t->text[end - 1]))
			end--;
		if (t->nargs == VALUES)
			wrong_at(t, start, end - start, "these are too many values");
		t->args[t->nargs++] = (struct expr_source){ t->text, start, end };
	}
}

/* [ (filter)] ["format"[, value ...]] */
static void parse_rest(struct probe_text *t)
{
	u32 at = blanks(t->text, t->program.end), start;

	if (t->text[at] == '(') {
		take_filter(t, &at);
		at = blanks(t->text, at);
	}
	if (t->text[at] == '"') {
		start = at;
		at = past_quotes(t, at);
		t->format = (struct expr_source){ t->text, start + 1, at - 1 };
		at = blanks(t->text, at);
		take_values(t, &at);
	}
	if (t->text[at])
		wrong_at(t, at, 1, "a filter in parentheses or a format in quotes was expected");
}

/* --- Programs --- */

static enum expr_want want_of(char conversion)
{
	return conversion == 's'                        ? EXPR_AS_TEXT
	       : conversion == 'I' || conversion == 'M' ? EXPR_AS_IS
							: EXPR_AS_INT;
}

static bool value_fits(char conversion, const struct expr_value *v)
{
	return conversion == 'I' ? v->size == 4 || v->size == 16
				 : conversion != 'M' || v->size == 6;
}

static bool add_values(const struct probe_text *t, struct shown *s, struct expr_prog *code,
		       struct expr_error *err)
{
	struct format_error wrong;
	int i;

	if (!format_parse(&s->format, t->text, t->format.start, t->format.end, &wrong)) {
		*err = (struct expr_error){ .pos = wrong.at, .len = wrong.len };
		snprintf(err->text, sizeof(err->text), "%s", wrong.text);
		return false;
	}
	for (i = 0; i < s->format.nvalues && i < t->nargs; i++) {
		char conversion = format_value_part(&s->format, i)->conversion;

		if (!expr_value(code, t->args[i], want_of(conversion), string_size, &s->values[i],
				err))
			return false;
		if (!value_fits(conversion, &s->values[i])) {
			*err = (struct expr_error){ .pos = t->args[i].start,
						    .len = t->args[i].end - t->args[i].start };
			snprintf(err->text, sizeof(err->text), "%%%c wants %s bytes, this is %u",
				 conversion, conversion == 'I' ? "4 or 16" : "6",
				 s->values[i].size);
			return false;
		}
	}
	if (i == s->format.nvalues && i == t->nargs)
		return true;
	*err = i < t->nargs
		       ? (struct expr_error){ t->args[i].start, t->args[i].end - t->args[i].start,
					      "the format has no conversion for this" }
		       : (struct expr_error){ format_value_part(&s->format, i)->at,
					      format_value_part(&s->format, i)->width_of,
					      "there is no value for this" };
	return false;
}

/* Without a format all is shown that has a name: "name=value". */
static void add_named(struct shown *s, struct buf *format, const char *text, const char *name,
		      const struct expr_type *type, struct expr_prog *code)
{
	bool is_text = expr_type_text(programs.types, type);
	struct expr_value *v = &s->values[s->format.nvalues];
	struct expr_error ignored;

	if (s->format.nvalues == VALUES || !*name)
		return;
	if (!expr_value(code, expr_source(text), is_text ? EXPR_AS_TEXT : EXPR_AS_INT, string_size,
			v, &ignored))
		return;
	s->format.nvalues++;
	buf_fmt(format, "%s%s=%s", format->len ? " " : "", name,
		is_text                   ? "\\\"%s\\\""
		: v->kind == EXPR_POINTER ? "%p"
		: v->is_signed            ? "%lld"
					  : "%llu");
}

static void add_all(const struct program *p, const struct shape *shape, struct shown *s,
		    struct expr_prog *code)
{
	const struct expr_scope *scope = &shape->scope;
	struct format_error unused;
	struct buf format = {};

	for (int i = 0; i < scope->nnames; i++)
		if (strncmp(scope->names[i].name, "arg", 3) || p->spec.kind == SPEC_USDT)
			add_named(s, &format, scope->names[i].name, scope->names[i].name,
				  scope->names[i].type, code);
	for (int i = 0; i < scope->nfields; i++) {
		char *text = xasprintf("args->%s", scope->fields[i].name);

		add_named(s, &format, text, scope->fields[i].name, scope->fields[i].type, code);
		free(text);
	}
	if (scope->retval)
		add_named(s, &format, "retval", "retval", scope->retval->type, code);
	format_parse(&s->format, format.data ?: "", 0, format.len, &unused);
	buf_free(&format);
}

static void put_header(const struct program *p, u32 probe, u32 shape, struct expr_prog *code)
{
	const struct shape *s = &p->shapes[shape];

	expr_put_time(code, offsetof(ROW, time));
	if (by_address(p, s))
		expr_put_function(code, offsetof(ROW, site));
	else if (s->sites.n > 1)
		expr_put_cookie(code, offsetof(ROW, site));
	else
		expr_put_const(code, offsetof(ROW, site), 0, 8);
	expr_put_const(code, offsetof(ROW, probe), probe, 4);
	expr_put_const(code, offsetof(ROW, shape), shape, 4);
	expr_put_ids(code, offsetof(ROW, tid));
	expr_put_uid(code, offsetof(ROW, uid));
	expr_put_cpu(code, offsetof(ROW, cpu));
	expr_put_comm(code, offsetof(ROW, comm));
}

/* Where the values begin: behind the last stack that is wanted. */
static u32 header_size(void)
{
	return user_stack     ? sizeof(ROW)
	       : kernel_stack ? offsetof(ROW, user)
			      : offsetof(ROW, kernel);
}

static enum expr_stack kernel_stack_at(const struct spec *s)
{
	bool entry = s->kind == SPEC_ENTRY && !*s->library && !s->offset;

	return entry ? EXPR_KERNEL_ENTRY : EXPR_KERNEL_STACK;
}

/* The statements of a probe. */
static bool make(struct program *p, u32 shape, struct expr_prog *code, void *ctx,
		 struct expr_error *err)
{
	struct probe_text *t = ctx;
	struct shown *s = &t->shown[shape];

	if (!self)
		expr_not(code, EXPR_PID, getpid());
	if (t->filter.text && !expr_filter(code, t->filter, programs.lost[LOST_TEXT], err))
		return false;
	if (passed)
		expr_limit(code, passed, max_events);
	expr_record(code, p->record, header_size(), offsetof(ROW, faults));
	put_header(p, t - probes, shape, code);
	if (t->format.text && !add_values(t, s, code, err))
		return false;
	if (!t->format.text)
		add_all(p, &p->shapes[shape], s, code);
	if (kernel_stack)
		expr_put_stack(code, offsetof(ROW, kernel), kernel_stack_at(&p->spec));
	if (user_stack)
		expr_put_stack(code, offsetof(ROW, user), EXPR_USER_STACK);
	if (common.filter.perf_buffer)
		expr_output_perf(code, events, programs.lost[LOST_EVENT]);
	else
		expr_output(code, events, programs.lost[LOST_EVENT]);
	return true;
}

static void compile(struct probe_text *t, bool dry)
{
	struct program *p = &t->program;
	struct expr_error err = {};

	if (program_resolve(&programs, p, dry, &err))
		wrong(t, &err, false);
	t->shown = xcalloc(p->nshapes, sizeof(*t->shown));
	for (u32 i = 0; i < p->nshapes; i++)
		p->shapes[i].scope.binary_strcmp = binary_cmp;
	if (t->filter.text && !program_need(p, t->filter, &err))
		wrong(t, &err, false);
	for (int i = 0; i < t->nargs; i++)
		if (!program_need(p, t->args[i], &err))
			wrong(t, &err, false);
	if (program_compile(&programs, p, make, t, &err))
		wrong(t, &err, false);
}

/* -M in the kernel is exact; what messages say only we know, and Linux 5.12 first returns sums. */
static bool kernel_counts(void)
{
	return !message_filter && kernel_release() >= KERNEL_VERSION(5, 12, 0);
}

static void compile_all(bool dry)
{
	struct expr_macros *macros = programs.macros;

	programs = (struct programs){ .filter = &common.filter,
				      .macros = macros,
				      .verbose = common.verbose || dump,
				      .stacks = kernel_stack };
	if (common.filter.pids.n == 1)
		programs.pid = common.filter.pids.id[0];
	programs_init(&programs, common.btf);
	events = programs_map(&programs, -1);
	if (max_events && kernel_counts())
		passed = programs_map(&programs, -1);
	for (int i = 0; i < nprobes; i++)
		compile(&probes[i], dry);
	expr_types_free(programs.types); /* some megabytes */
	programs.types = NULL;
	for (int i = 0; dump && i < nprobes; i++)
		program_dump(&probes[i].program, &out);
	out_flush();
}

static void check(void)
{
	show_time = elapsed || clock_time;
	common.offsets = true;
	for (int i = 0; i < nprobes; i++) {
		struct expr_error err = {};

		if (program_parse(&probes[i].program, probes[i].text, &err))
			wrong(&probes[i], &err, true);
		parse_rest(&probes[i]);
	}
	dump |= dump_only;
	if (!dump_only)
		return;
	compile_all(true);
	exit(0);
}

static void prepare(struct run *run)
{
	(void)run;
	if (nprobes) /* else it is bcctool check */
		compile_all(false);
}

static void detach(struct run *run)
{
	for (int i = 0; i < nprobes; i++)
		run->lost[LOST_PROBE] += program_detach(&probes[i].program);
	for (int kind = 0; kind < LOST_KINDS; kind++)
		run->lost[kind] += programs_lost(&programs, kind);
}

/* Should some be lost, they will not all be seen. */
static void end_when_passed(struct run *run)
{
	u64 n = 0;

	if (!bpf_map_lookup_elem(programs.maps[passed], &(u32){ 0 }, &n) && n >= max_events)
		run->deadline = clock_mono();
}

static void attached(struct run *run)
{
	struct buf why = {};
	const char *instead;
	u32 refused;

	programs.maps[events] = run_map(run, "events");
	if (passed) {
		programs.maps[passed] = bpf_map_create(BPF_MAP_TYPE_ARRAY, "passed", sizeof(u32),
						       sizeof(u64), 1, NULL);
		run->often = end_when_passed;
	}
	for (int i = 0; i < nprobes; i++)
		if (program_load(&programs, &probes[i].program, &why))
			die("%s: %.*s", probes[i].text, (int)why.len, why.data);
	run->detach = detach;
	for (int i = 0; i < nprobes; i++) {
		if (program_attach(&probes[i].program, &refused, &why))
			die("cannot attach %s: %.*s", probes[i].text, (int)why.len, why.data);
		instead = sites_instead(&probes[i].program.sites);
		if (instead)
			warn("%s is hardly ever called: '%s' is now", probes[i].program.spec.name,
			     instead);
		if (refused)
			warn("%s: %u places were refused by the kernel", probes[i].text, refused);
	}
	buf_free(&why);
}

/* --- Events --- */

static struct format_value value_at(const void *event, size_t size, const struct expr_value *v)
{
	const struct trace_event *e = event;
	struct format_value f = { .bytes = (const char *)event + v->offset, .size = v->size };
	int unused = 64 - 8 * (int)v->size;

	f.fault = v->offset + v->size > size || e->faults >> v->fault & 1;
	if (f.fault || v->kind == EXPR_STRING || v->kind == EXPR_BYTES)
		return f;
	memcpy(&f.number, f.bytes, v->size);
	if (v->is_signed)
		f.number = (s64)(f.number << unused) >> unused;
	return f;
}

static void make_message(const struct trace_event *e, size_t size)
{
	const struct shown *s = &probes[e->probe].shown[e->shape];
	struct format_value values[VALUES];

	for (int i = 0; i < s->format.nvalues; i++)
		values[i] = value_at(e, size, &s->values[i]);
	message.len = 0;
	format_print(&message, &s->format, values, address_text, (void *)e);
}

/* -A: how often each message came. */
static struct counted {
	char *message;
	u64 count;
} * counts;
static size_t ncounts;

static void count_message(void)
{
	for (size_t i = 0; i < ncounts; i++)
		if (strlen(counts[i].message) == message.len &&
		    !memcmp(counts[i].message, message.data, message.len)) {
			counts[i].count++;
			return;
		}
	counts = xrealloc(counts, (ncounts + 1) * sizeof(*counts));
	counts[ncounts].message = xasprintf("%.*s", (int)message.len, message.data ?: "");
	counts[ncounts++].count = 1;
}

static const void *event(struct run *run, const void *row, size_t *size)
{
	static u32 printed;
	const struct trace_event *e = row;

	if (*size < header_size() || e->probe >= (u32)nprobes ||
	    e->shape >= probes[e->probe].program.nshapes || (max_events && printed == max_events))
		return NULL;
	make_message(e, *size);
	if (message_filter &&
	    !memmem(message.data ?: "", message.len, message_filter, strlen(message_filter)))
		return NULL;
	if (user_stack)
		usyms_capture(stacks_named()->user, e->pid);
	if (max_events && ++printed == max_events)
		run->deadline = clock_mono();
	if (aggregate) {
		count_message();
		return NULL;
	}
	return row;
}

static void end_stacks(struct buf *b, const struct column *cols, const void *row)
{
	(void)cols;
	(void)row;
	if (kernel_stack || user_stack)
		buf_chr(b, '\n');
}

static int by_count(const void *a, const void *b)
{
	u64 ca = ((const struct counted *)a)->count, cb = ((const struct counted *)b)->count;

	return (ca > cb) - (ca < cb);
}

static void print_counts(void)
{
	qsort(counts, ncounts, sizeof(*counts), by_count);
	for (size_t i = 0; i < ncounts; i++) {
		if (out_mode == OUT_JSON) {
			buf_str(&out, "{\"message\":");
			buf_json(&out, counts[i].message, strlen(counts[i].message));
			buf_fmt(&out, ",\"count\":%llu}\n", counts[i].count);
		} else {
			buf_fmt(&out, "%s -->COUNT %llu\n", counts[i].message, counts[i].count);
		}
	}
	out_flush();
}

static void run_trace(struct run *run)
{
	run_events(run);
	if (aggregate)
		print_counts();
}

static const struct applet trace = {
	.name = "trace",
	.summary = "trace calls of functions, tracepoints and USDT probes, with their values",
	.doc = "Prints a line for each event that the filter of its probe lets through, with what "
	       "the format says, or without one with all parameters. Filters and values are C "
	       "expressions over the kernel's types, compiled to BPF; the filter decides in the "
	       "kernel, so that what it drops costs little.\n\n"
	       "Memory that cannot be read is shown as (fault); a filter that cannot be told is "
	       "not true, and counted.",
	.positionals = positionals,
	.options = options,
	.columns = columns,
	.examples = examples,
	.check = check,
	.prepare = prepare,
	.attached = attached,
	.event = event,
	.footer = end_stacks,
	.keep_caps = KEEP_SYMBOLS,
	.run = run_trace,
};

APPLET(trace);
