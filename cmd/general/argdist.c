#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>

#include "applet.h"
#include "buckets.h"
#include "clock.h"
#include "out.h"
#include "probe/parts.h"
#include "probe/program.h"
#include "probe/recorded.h"
#include "probe/tally.h"

#define SPECIFIERS 32

/*
 * What one -C or -H asks for. It is counted by keys: the faults of its values, then the values.
 */
struct specifier {
	const char *text;
	bool histogram;
	struct expr_source label; /* empty: none */
	struct value {
		struct expr_source source, type_source; /* type_source: empty, it is a default */
		const char *shown; /* what it is called, if not by its source */
		const struct expr_type *type;
		struct expr_value at;
	} value[PARTS_VALUES];
	int nvalues;
	struct expr_source filter; /* empty: none */
	struct program program;
	int tables; /* the number of the tally's map */
	struct tally tally;
};

static struct specifier specifiers[SPECIFIERS];
static int nspecifiers;
static struct programs programs;
static const char *headers[32];
static int nheaders;
static int string_size = 80, keys = 10240;
static bool cumulative, linear, dump;

/* --- The command line --- */

static int add_specifier(const char *text, bool histogram, char why[128])
{
	if (nspecifiers == SPECIFIERS) {
		snprintf(why, 128, "one specifier too many");
		return -EINVAL;
	}
	specifiers[nspecifiers++] = (struct specifier){ .text = text, .histogram = histogram };
	return 0;
}

static int take_histogram(const char *arg, void *dst, char why[128])
{
	(void)dst;
	return add_specifier(arg, true, why);
}

static int take_count(const char *arg, void *dst, char why[128])
{
	(void)dst;
	return add_specifier(arg, false, why);
}

/* "-C one two": BCC takes several after one option. */
static int take_another(const char *arg, void *dst, char why[128])
{
	(void)dst;
	for (int i = 1; i < nspecifiers; i++)
		if (specifiers[i].histogram != specifiers[0].histogram) {
			snprintf(why, 128, "unclear whether it is of -C or -H: repeat the option");
			return -EINVAL;
		}
	if (!nspecifiers) {
		snprintf(why, 128, "-C or -H must come first");
		return -EINVAL;
	}
	return add_specifier(arg, specifiers[0].histogram, why);
}

static int take_header(const char *arg, void *dst, char why[128])
{
	(void)dst;
	if (nheaders == ARRAY_SIZE(headers)) {
		snprintf(why, 128, "one header too many");
		return -EINVAL;
	}
	headers[nheaders++] = arg;
	return 0;
}

static const struct opt options[] = {
	OPT_PARSED('C', "count", "SPECIFIER", take_count, NULL,
		   "count how often values occur (repeatable)"),
	OPT_PARSED('H', "histogram", "SPECIFIER", take_histogram, NULL,
		   "make a histogram of a value, by powers of two (repeatable)"),
	OPT(0, "linear", NULL, &linear, "make histograms with buckets of one width"),
	OPT_PID('p'),
	OPT_TID('t'),
	OPT_PPID(0),
	OPT_INTERVAL('i'),
	OPT('n', "number", "COUNT", &common.count, "print this many reports", .min = 1),
	OPT_DURATION('d'),
	OPT('c', "cumulative", NULL, &cumulative, "do not begin anew after each report"),
	OPT('T', "top", "ROWS", &common.rows, "print the most frequent values only", .min = 1),
	OPT('z', "string-size", "BYTES", &string_size,
	    "take this much of strings, their end included (default 80)", .min = 2,
	    .max = EXPR_STRING_MAX),
	OPT(0, "keys", "N", &keys, "tell this many different values apart (default 10240)",
	    .min = 1, .max = 1 << 22),
	OPT_PARSED('I', "include", "HEADER", take_header, NULL,
		   "take the constants of a header, as linux/fs.h (repeatable)"),
	OPT(0, "dump", NULL, &dump, "print the programs' instructions, and trace nothing"),
	OPT('v', "verbose", NULL, &common.verbose, "say what is loaded and attached"),
	OPT_EXEC,
	{ 0 },
};

static const struct opt positionals[] = {
	OPT_PARSED(0, "specifier", NULL, take_another, NULL, "more of what -C or -H takes",
		   .many = true),
	{ 0 },
};

static const struct example examples[] = {
	{ "-H 'r::vfs_read()'", "what vfs_read() returns" },
	{ "-p 1005 -H 'r:c:read()'", "the same of read() in libc, by a process" },
	{ "-C 't:raw_syscalls:sys_enter():int:args->id'", "system calls by number" },
	{ "-C 'p::tcp_sendmsg():u32:size'", "sizes of messages; names and types by BTF" },
	{ "-H 'p::tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size):u32:size'",
	  "the same as a histogram, with BCC's signature" },
	{ "-p 181 -C 'p:c:write(int fd):int:fd'", "descriptors that a process writes to" },
	{ "-C 'r::vfs_read():u32:$PID:$latency > 100000#slow reads'",
	  "who reads for longer than 0.1 ms" },
	{ "-H 'r:c:malloc(size_t size):u64:$latency/$entry(size)#ns a byte'",
	  "what the allocation of a byte takes" },
	{ "-C 'p:c:puts(char *s):char*:s' -z 200", "lines written" },
	{ "-c -C 'p::vfs_write():char*,u64:$COMM,count'", "who writes how much at once" },
	{ 0 },
};

/* --- A specifier's text --- */

static void __attribute__((noreturn))
refuse(const struct specifier *s, const struct expr_error *err, int code)
{
	struct buf b = {};

	buf_fmt(&b, "%s\n", err->text);
	expr_caret(&b, s->text, err);
	warn("%.*s", (int)b.len - 1, b.data);
	exit(code);
}

static void __attribute__((noreturn))
wrong(const struct specifier *s, struct expr_source part, const char *why)
{
	struct expr_error err = { .pos = part.start, .len = part.end - part.start };

	snprintf(err.text, sizeof(err.text), "%s", why);
	refuse(s, &err, 2);
}

static void parse(struct specifier *s)
{
	struct expr_error err;
	struct parts parts;
	int ret = program_parse(&s->program, s->text, &err);

	if (ret && ret != -EINVAL)
		die_err(ret, "cannot read a specifier");
	if (ret || !parts_parse(&parts, s->text, s->program.end, &err))
		refuse(s, &err, 2);
	if (s->histogram && parts.nvalues > 1)
		wrong(s, parts.values[1], "a histogram is of one value");
	s->filter = parts.filter;
	s->label = parts.label;
	s->nvalues = parts.nvalues;
	for (int i = 0; i < parts.nvalues; i++)
		s->value[i] =
			(struct value){ .source = parts.values[i], .type_source = parts.types[i] };
}

/* --- What is compiled --- */

/* Without an expression: what a function returns, or else just the call. */
static void set_default(struct specifier *s)
{
	struct value *v = &s->value[0];

	s->nvalues = 1;
	if (s->program.spec.kind == SPEC_RETURN) {
		const struct expr_type *ret = s->program.entry.retval.type;
		bool known = !*s->program.spec.library && expr_type_size(ret);

		v->source = expr_source("$retval");
		v->shown = "retval";
		v->type = known ? ret : expr_type_int(programs.types, 4, true);
		return;
	}
	if (s->histogram)
		wrong(s, expr_source(s->text),
		      "a histogram needs a value: TYPE:EXPRESSION after the name");
	v->source = expr_source("1");
	v->shown = "total calls";
	v->type = expr_type_int(programs.types, 4, true);
}

static void resolve(struct specifier *s)
{
	struct expr_error err;
	int ret = program_resolve(&programs, &s->program, dump, &err);

	if (ret)
		refuse(s, &err, ret == -EINVAL ? 2 : 1);
	if (!s->nvalues)
		set_default(s);
	for (int i = 0; i < s->nvalues; i++) {
		struct value *v = &s->value[i];

		if (!v->type)
			v->type = expr_type_parse(programs.types, v->type_source, &err);
		if (!v->type || !program_need(&s->program, v->source, &err))
			refuse(s, &err, 2);
	}
	if (!part_is_empty(s->filter) && !program_need(&s->program, s->filter, &err))
		refuse(s, &err, 2);
	s->tables = programs_map(&programs, -1);
}

/* The statements, for each place. */
static bool make(struct program *p, u32 shape, struct expr_prog *code, void *ctx,
		 struct expr_error *err)
{
	struct specifier *s = ctx;
	bool ok = true;

	(void)shape;
	if (!part_is_empty(s->filter) &&
	    !expr_filter(code, s->filter, programs.lost[LOST_TEXT], err))
		return false;
	expr_record(code, p->record, sizeof(u64), 0);
	for (int i = 0; ok && i < s->nvalues; i++) {
		struct value *v = &s->value[i];

		ok = s->histogram ? expr_bucket(code, v->source, v->type, !linear, &v->at, err)
				  : expr_key(code, v->source, v->type, string_size, &v->at, err);
	}
	if (ok)
		expr_count_in(code, s->tables, 0, programs.lost[LOST_KEY]);
	else if (s->value[0].shown) /* a default is not in the text */
		err->pos = p->spec.name_at, err->len = p->spec.end - p->spec.name_at;
	return ok;
}

static void compile(struct specifier *s)
{
	struct expr_error err;

	if (program_compile(&programs, &s->program, make, s, &err))
		refuse(s, &err, 2);
}

static int pinned(const char *path)
{
	int fd = bpf_obj_get(path);

	if (fd < 0)
		die_err(fd, "cannot use the pinned map '%s'", path);
	return programs_map(&programs, fd);
}

static void read_headers(void)
{
	programs.macros = nheaders ? expr_macros_new() : NULL;
	for (int i = 0; i < nheaders; i++) {
		int err = expr_macros_read(programs.macros, headers[i]);

		if (err) /* its structs are known all the same */
			warn("the constants of header '%s' are not known: %s", headers[i],
			     strerror(-err));
	}
}

static void compile_all(void)
{
	struct common *c = &common;
	int err;

	programs.filter = &c->filter;
	programs.verbose = c->verbose;
	programs.pid = c->filter.pids.n == 1 ? c->filter.pids.id[0] : 0;
	err = programs_init(&programs, c->btf);
	if (err)
		die_err(err, "cannot read the types of the kernel");
	if (c->cgroupmap)
		programs.cgroupmap = pinned(c->cgroupmap);
	if (c->mntnsmap)
		programs.mntnsmap = pinned(c->mntnsmap);
	read_headers();
	for (int i = 0; i < nspecifiers; i++)
		resolve(&specifiers[i]);
	for (int i = 0; i < nspecifiers; i++)
		compile(&specifiers[i]);
}

static void print_programs(void)
{
	compile_all();
	for (int i = 0; i < nspecifiers; i++) {
		buf_fmt(&out, "%s\n", specifiers[i].text);
		program_dump(&specifiers[i].program, &out);
	}
	out_flush();
	exit(0);
}

static void check(void)
{
	if (!nspecifiers)
		opt_error("nothing to trace: -C or -H says what");
	for (int i = 0; i < nspecifiers; i++)
		parse(&specifiers[i]);
	if (dump)
		print_programs();
	common.interval = common.interval ?: common.duration ?: 1;
}

/* --- Attaching --- */

static void detach(struct run *run)
{
	for (int i = 0; i < nspecifiers; i++)
		run->lost[LOST_PROBE] += program_detach(&specifiers[i].program);
	for (int kind = 0; kind < LOST_KINDS; kind++)
		run->lost[kind] += programs_lost(&programs, kind);
}

static void load(struct specifier *s)
{
	u32 key_size = expr_record_size(s->program.shapes[0].code);
	int err = tally_init(&s->tally, key_size, keys);
	struct buf why = {};

	if (err)
		die_err(err, "cannot make a BPF map of %d keys of %u bytes", keys, key_size);
	programs.maps[s->tables] = s->tally.tables;
	if (program_load(&programs, &s->program, &why))
		die("%s: %.*s", s->text, (int)why.len, why.data);
	buf_free(&why);
}

static void attach(struct specifier *s)
{
	struct buf why = {};
	u32 refused;

	if (program_attach(&s->program, &refused, &why))
		die("cannot attach to %s: %.*s", s->program.spec.name, (int)why.len, why.data);
	if (refused)
		warn("%u of %u places of %s were refused by the kernel", refused,
		     s->program.sites.n, s->program.spec.name);
	if (common.verbose)
		for (u32 i = 0; i < s->program.sites.n; i++)
			warn("probe %s", s->program.sites.at[i].name);
	buf_free(&why);
}

/* All are loaded before the first is attached, so that they begin together. */
static void attached(struct run *run)
{
	if (!nspecifiers) /* bcctool check */
		return;
	compile_all();
	expr_types_free(programs.types); /* some megabytes */
	programs.types = NULL;
	for (int i = 0; i < nspecifiers; i++)
		load(&specifiers[i]);
	run->detach = detach;
	for (int i = 0; i < nspecifiers; i++)
		attach(&specifiers[i]);
}

/* --- What was counted --- */

static u64 count_of(const struct specifier *s, const char *row)
{
	return tally_count(&s->tally, row);
}

static const struct specifier *sorted; /* whose rows are being compared */

static int by_values(const void *a, const void *b)
{
	int cmp = 0;

	for (int i = 0; !cmp && i < sorted->nvalues; i++)
		cmp = recorded_compare(a, b, &sorted->value[i].at);
	return cmp;
}

static int by_count(const void *a, const void *b)
{
	u64 x = count_of(sorted, a), y = count_of(sorted, b);

	return x < y ? -1 : x > y ? 1 : by_values(a, b);
}

static void take_rows(struct specifier *s)
{
	struct rows *rows = &s->tally.rows;
	int err = tally_take(&s->tally, cumulative);

	if (err)
		die_err(err, "cannot exchange the buffers of results");
	sorted = s;
	if (rows->n)
		qsort(rows->data, rows->n, rows->size, s->histogram ? by_values : by_count);
}

/* Values that could not be read are a loss, besides being shown as such. */
static u64 count_faults(const struct specifier *s)
{
	u64 sum = 0;

	for (size_t i = 0; i < s->tally.rows.n; i++) {
		const char *row = rows_at(&s->tally.rows, i);

		sum += recorded_faults(row) ? count_of(s, row) : 0;
	}
	return sum;
}

/* --- Printing --- */

static void source_text(struct buf *b, struct expr_source source)
{
	buf_safe(b, source.text + source.start, source.end - source.start);
}

static void value_name(struct buf *b, const struct value *v)
{
	if (v->shown)
		buf_str(b, v->shown);
	else
		source_text(b, v->source);
}

static void title(struct buf *b, const struct specifier *s)
{
	if (part_is_empty(s->label))
		buf_safe(b, s->text, strlen(s->text));
	else
		source_text(b, s->label);
}

static bool is_calls(const struct specifier *s)
{
	return s->value[0].shown && s->program.spec.kind != SPEC_RETURN;
}

/* "fd = 1, size = 42" */
static void event_text(struct buf *b, const struct specifier *s, const char *row)
{
	if (is_calls(s)) {
		buf_str(b, s->value[0].shown);
		return;
	}
	for (int i = 0; i < s->nvalues; i++) {
		buf_str(b, i ? ", " : "");
		value_name(b, &s->value[i]);
		buf_str(b, " = ");
		recorded_text(b, row, &s->value[i].at);
	}
}

static size_t first_shown(const struct specifier *s)
{
	size_t rows = common.rows;

	return rows && s->tally.rows.n > rows ? s->tally.rows.n - rows : 0;
}

static void print_counts(const struct specifier *s)
{
	buf_str(&out, "\tCOUNT      EVENT\n");
	for (size_t i = first_shown(s); i < s->tally.rows.n; i++) {
		const char *row = rows_at(&s->tally.rows, i);

		buf_fmt(&out, "\t%-10llu ", count_of(s, row));
		event_text(&out, s, row);
		buf_chr(&out, '\n');
		out_row();
	}
}

static void make_buckets(const struct specifier *s, struct buckets *b)
{
	const struct expr_value *v = &s->value[0].at;
	struct counted *counted = xcalloc(s->tally.rows.n + 1, sizeof(*counted));
	size_t n = 0;

	for (size_t i = 0; i < s->tally.rows.n; i++) {
		const char *row = rows_at(&s->tally.rows, i);

		if (!recorded_is_fault(row, v))
			counted[n++] =
				(struct counted){ recorded_number(row, v), count_of(s, row) };
	}
	if (linear)
		buckets_linear(b, counted, n, v->is_signed);
	else
		buckets_log2(b, counted, n);
	free(counted);
}

static void print_histogram(const struct specifier *s)
{
	u64 faults = count_faults(s);
	struct buf head = {};
	struct buckets b;

	make_buckets(s, &b);
	value_name(&head, &s->value[0]);
	buf_chr(&head, '\0');
	buckets_text(&out, &b, head.data);
	if (faults)
		buf_fmt(&out, "%10s %13s : %llu\n", "(fault)", "", faults);
	buf_free(&head);
	buckets_free(&b);
}

static void print_text(const struct specifier *s)
{
	title(&out, s);
	buf_chr(&out, '\n');
	if (s->histogram)
		print_histogram(s);
	else
		print_counts(s);
}

/* --- JSON --- */

static void json_source(struct expr_source source)
{
	buf_json(&out, source.text + source.start, source.end - source.start);
}

static void json_name(const struct value *v)
{
	if (v->shown)
		buf_json(&out, v->shown, strlen(v->shown));
	else
		json_source(v->source);
}

static void json_begin(const struct specifier *s, u64 now)
{
	buf_str(&out, "{\"time\":\"");
	clock_iso(&out, now);
	buf_str(&out, "\",\"probe\":");
	buf_json(&out, s->text, strlen(s->text));
	if (!part_is_empty(s->label)) {
		buf_str(&out, ",\"label\":");
		json_source(s->label);
	}
}

static void json_counts(const struct specifier *s, u64 now)
{
	for (size_t i = first_shown(s); i < s->tally.rows.n; i++) {
		const char *row = rows_at(&s->tally.rows, i);

		json_begin(s, now);
		buf_str(&out, ",\"event\":{");
		for (int v = 0; v < s->nvalues && !is_calls(s); v++) {
			buf_str(&out, v ? "," : "");
			json_name(&s->value[v]);
			buf_chr(&out, ':');
			recorded_json(&out, row, &s->value[v].at);
		}
		buf_fmt(&out, "},\"count\":%llu}\n", count_of(s, row));
		out_row();
	}
}

static void json_histogram(const struct specifier *s, u64 now)
{
	struct buckets b;

	make_buckets(s, &b);
	json_begin(s, now);
	buf_str(&out, ",\"value\":");
	json_name(&s->value[0]);
	buf_fmt(&out, ",\"count\":%llu,\"faults\":%llu,\"buckets\":", buckets_sum(&b),
		count_faults(s));
	buckets_json(&out, &b);
	buf_str(&out, "}\n");
	buckets_free(&b);
}

/* --- CSV: a line a value or a bucket --- */

static void csv_begin(const struct specifier *s, u64 now)
{
	clock_iso(&out, now);
	buf_chr(&out, ',');
	if (part_is_empty(s->label))
		buf_csv(&out, s->text, strlen(s->text));
	else
		buf_csv(&out, s->label.text + s->label.start, s->label.end - s->label.start);
	buf_chr(&out, ',');
}

static void csv_counts(const struct specifier *s, u64 now)
{
	for (size_t i = first_shown(s); i < s->tally.rows.n; i++) {
		const char *row = rows_at(&s->tally.rows, i);
		struct buf event = {};

		csv_begin(s, now);
		event_text(&event, s, row);
		buf_csv(&out, event.data, event.len);
		buf_fmt(&out, ",,,%llu\n", count_of(s, row));
		buf_free(&event);
	}
}

static void csv_histogram(const struct specifier *s, u64 now)
{
	struct buf name = {};
	struct buckets b;

	make_buckets(s, &b);
	value_name(&name, &s->value[0]);
	for (size_t i = 0; i < b.n; i++) {
		csv_begin(s, now);
		buf_csv(&out, name.data, name.len);
		buf_chr(&out, ',');
		bucket_bound(&out, &b.at[i], b.at[i].low);
		buf_chr(&out, ',');
		bucket_bound(&out, &b.at[i], b.at[i].high);
		buf_fmt(&out, ",%llu\n", b.at[i].count);
	}
	buf_free(&name);
	buckets_free(&b);
}

static void print_specifier(const struct specifier *s, u64 now)
{
	if (out_mode == OUT_JSON && s->histogram)
		json_histogram(s, now);
	else if (out_mode == OUT_JSON)
		json_counts(s, now);
	else if (out_mode == OUT_CSV && s->histogram)
		csv_histogram(s, now);
	else if (out_mode == OUT_CSV)
		csv_counts(s, now);
	else
		print_text(s);
}

static void run_argdist(struct run *run)
{
	bool more;

	if (out_mode == OUT_CSV)
		buf_str(&out, "time,probe,event,low,high,count\n");
	do {
		u64 now;

		more = run_wait(run);
		if (!more)
			run_detach(run);
		now = clock_mono();
		if (out_mode == OUT_TEXT) {
			buf_chr(&out, '[');
			clock_hms(&out, now);
			buf_str(&out, "]\n");
		}
		for (int i = 0; i < nspecifiers; i++) {
			struct specifier *s = &specifiers[i];

			take_rows(s);
			if (!cumulative || !more)
				run->lost[LOST_TEXT] += count_faults(s);
			print_specifier(s, now);
		}
		out_flush();
	} while (more);
}

static const struct applet argdist = {
	.name = "argdist",
	.summary = "count values of parameters and results, or show their distribution",
	.doc = "Counts the values of expressions wherever a probe fires, or makes histograms of "
	       "them. A specifier is\n\n"
	       "PROBE(SIGNATURE):TYPES:EXPRESSIONS:CONDITION#LABEL\n\n"
	       "of which all but the probe can be left out. Types and expressions are lists, with "
	       "commas, of the same length. Without them what a function returns is taken (r:), or "
	       "the call itself counted. Kernel functions need no signature where there is BTF. "
	       "bcctool-probe(7) tells all about the names of probes and about expressions.\n\n"
	       "Conditions and values are worked out in the kernel, where the counts are, too. A "
	       "value that cannot be read is shown as (fault).\n\n"
	       "A report is a line with the time, then for each specifier its label or text and "
	       "rows COUNT EVENT by rising count, or a histogram. With $entry() or $latency there "
	       "is a probe at the function's entry as well; calls that began before argdist did, "
	       "and all but the innermost of a recursion, are not counted then.",
	.options = options,
	.positionals = positionals,
	.examples = examples,
	.no_object = true,
	.check = check,
	.attached = attached,
	.run = run_argdist,
};

APPLET(argdist);
