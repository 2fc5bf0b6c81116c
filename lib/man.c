/* Manual pages: the applet's tables as man(7). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "applet.h"
#include "opt.h"

#define DATE "November 22, 2026" /* of the pages' form; a build has none, to be repeatable */

/* A character that roff would take for its own; NULL if it would not. */
static const char *escaped(char c)
{
	switch (c) {
	case '\\': return "\\e";
	case '"': return "\\(dq";
	case '\'': return "\\(aq";
	case '`': return "\\(ga";
	case '^': return "\\(ha";
	case '~': return "\\(ti";
	case '-': return "\\-";
	default: return NULL;
	}
}

static void escape(struct buf *b, char c)
{
	const char *e = escaped(c);

	if (e)
		buf_str(b, e);
	else
		buf_chr(b, c);
}

/* In another font. Never plain at the start of a line: it begins with the change of font. */
static void in_font(struct buf *b, char font, const char *first, const char *second)
{
	buf_fmt(b, "\\f%c", font);
	for (; *first; first++)
		escape(b, *first);
	for (; *second; second++)
		escape(b, *second);
	buf_str(b, "\\fR");
}

static void literal(struct buf *b, const char *text)
{
	in_font(b, 'B', text, "");
}

static void variable(struct buf *b, const char *text)
{
	in_font(b, 'I', text, "");
}

/* A hyphen between letters is one; others are minus signs and dashes of options. */
static void word(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '-' && i && i + 1 < n && isalpha((unsigned char)text[i - 1]) &&
		    isalpha((unsigned char)text[i + 1]))
			buf_chr(b, '-');
		else
			escape(b, text[i]);
	}
}

/* Running text up to an empty line, a sentence or 70 characters a line. */
static const char *prose(struct buf *b, const char *text)
{
	size_t start = b->len;

	while (*text && strncmp(text, "\n\n", 2)) {
		size_t n = strcspn(text, " \n");

		if (!n) {
			text++;
			continue;
		}
		if (b->len > start) {
			bool wrap = b->len - start + n > 70 || b->data[b->len - 1] == '.';

			buf_chr(b, wrap ? '\n' : ' ');
			start = wrap ? b->len : start;
		}
		if (b->len == start && *text == '.')
			buf_str(b, "\\&");
		word(b, text, n);
		text += n;
	}
	buf_chr(b, '\n');
	return text + strspn(text, "\n");
}

static void paragraphs(struct buf *b, const char *text)
{
	while (*(text = prose(b, text)))
		buf_str(b, ".PP\n");
}

static void option_name(struct buf *b, const struct opt *o, bool brief)
{
	char letter[] = { o->letter, '\0' };

	if (o->letter)
		in_font(b, 'B', "-", letter);
	if (o->letter && !brief)
		buf_str(b, ", ");
	if (!o->letter || !brief)
		in_font(b, 'B', "--", o->name);
}

/* A synopsis of positionals: [\fIinterval\fR [\fIcount\fR]]. */
static void synopsis(struct buf *b, const struct applet *a)
{
	int open = 0;

	literal(b, a->name);
	buf_str(b, " [\\fIOPTION\\fR...]");
	for (const struct opt *o = a->options; o && o->name; o++)
		if (o->needed)
			buf_fmt(b, " \\-\\-%s \\fI%s\\fR", o->name, o->arg);
	for (const struct opt *o = a->positionals; o && o->name; o++) {
		buf_str(b, o->needed ? " " : " [");
		variable(b, o->name);
		buf_str(b, o->many ? "..." : "");
		open += !o->needed;
	}
	buf_fill(b, ']', open);
	buf_chr(b, '\n');
}

struct list {
	struct buf *b;
	bool own, any;
};

static void option(const struct opt *o, bool own, void *ctx)
{
	struct list *list = ctx;
	struct buf *b = list->b;
	char *text;

	if (own != list->own)
		return;
	if (!own && !list->any)
		buf_str(b, ".SS Options of every applet\n");
	list->any = true;
	buf_str(b, ".TP\n");
	option_name(b, o, false);
	if (o->arg) {
		buf_chr(b, ' ');
		variable(b, o->arg);
	}
	buf_chr(b, '\n');
	text = opt_text(o);
	prose(b, *text ? text : "(no description)");
	free(text);
}

static void options(struct buf *b, const struct applet *a)
{
	struct list own = { b, true }, shared = { b, false };

	buf_str(b, ".SH OPTIONS\n");
	for (const struct opt *o = a->positionals; o && o->name; o++) {
		buf_str(b, ".TP\n");
		variable(b, o->name);
		buf_chr(b, '\n');
		prose(b, o->help ?: "");
	}
	opt_each(a, option, &own);
	opt_each(a, option, &shared);
}

struct shown_by {
	const bool *flag;
	const struct opt *option;
};

static void find_flag(const struct opt *o, bool own, void *ctx)
{
	struct shown_by *s = ctx;

	(void)own;
	if (o->dst == s->flag)
		s->option = o;
}

/* In what JSON and CSV differ from the text. */
static const char *raw(const struct column *c)
{
	if (c->name || c->names)
		return NULL;
	switch (c->as) {
	case AS_TIME:
	case AS_ELAPSED: return "a time as in ISO 8601, with nanoseconds";
	case AS_SECS:
	case AS_MS:
	case AS_US: return "nanoseconds";
	case AS_KB: return "bytes";
	case AS_OCTAL:
	case AS_HEX: return "a decimal number";
	case AS_IP: return c->text ? "the address" : NULL;
	case AS_ARGV: return "an array of strings in JSON";
	default: return c->text ? "the number itself" : NULL;
	}
}

static void field(struct buf *b, const struct applet *a, const struct column *c)
{
	struct shown_by by = { .flag = c->show };
	const char *unit = raw(c);

	if (c->show)
		opt_each(a, find_flag, &by);
	buf_str(b, ".TP\n");
	if (c->head && *c->head && c->show != &col_never) {
		literal(b, c->head);
		buf_str(b, " (");
		literal(b, col_key(c));
		buf_str(b, ")\n");
	} else {
		buf_chr(b, '(');
		literal(b, col_key(c));
		buf_str(b, ")\n");
	}
	prose(b, c->help ?: "");
	b->len--; /* the newline */
	buf_str(b, ".\n");
	if (unit || c->show == &col_never)
		buf_fmt(b, "In JSON and CSV%s%s%s.\n", c->show == &col_never ? " only" : "",
			unit ? ": " : "", unit ?: "");
	if (!by.option)
		return;
	buf_str(b, "In text with ");
	option_name(b, by.option, true);
	buf_str(b, ".\n");
}

static void fields(struct buf *b, const struct applet *a)
{
	const char *other = a->unit.other;

	bool hist = a->run == run_hist || a->unit.name;

	if (!a->columns && !hist)
		return;
	buf_str(b, ".SH FIELDS\nColumn heads, and in parentheses the keys of JSON and CSV.\n");
	for (const struct column *c = a->columns; c && c->key; c++)
		if (!c->no_data)
			field(b, a, c);
	if (a->other) {
		struct shown_by by = { .flag = a->use_other };

		opt_each(a, find_flag, &by);
		buf_str(b, ".PP\nWith ");
		if (by.option)
			option_name(b, by.option, true);
		buf_str(b, ":\n");
		for (const struct column *c = a->other->columns; c && c->key; c++)
			if (!c->no_data)
				field(b, a, c);
	}
	if (!hist)
		return;
	buf_fmt(b,
		".TP\n\\fB%s\\fR%s%s%s, \\fBcount\\fR, \\fBdistribution\\fR (\\fBbuckets\\fR)\n"
		"The lower and upper bound of a bucket, how many values are in it, and a bar.\n"
		"JSON has an array of objects \\fBlow\\fR, \\fBhigh\\fR and \\fBcount\\fR, and "
		"beside\n"
		"it the \\fBunit\\fR, the \\fBcount\\fR of all values and their \\fBsum\\fR.\n",
		a->unit.name ?: "value", other ? " or \\fB" : "", other ?: "", other ? "\\fR" : "");
}

static void requirements(struct buf *b, const struct applet *a)
{
	if (a->no_object && !a->attached)
		return;
	buf_str(b, ".SH REQUIREMENTS\n"
		   "CAP_BPF and CAP_PERFMON, or root; before Linux 5.8, CAP_SYS_ADMIN.\n"
		   "A kernel with BTF, or a file of it given by \\fB\\-\\-btf\\fR.\n");
	for (const struct probe *p = a->probes; p && p->what; p++) {
		buf_str(b, ".TP\nA probe for ");
		prose(b, p->what);
		if (p->lost) {
			buf_str(b, "Without it is missing: ");
			prose(b, p->lost);
		} else {
			buf_str(b, "Nothing can be traced without it.\n");
		}
	}
	buf_str(b, ".PP\n");
	in_font(b, 'B', "bcctool check ", a->name);
	buf_str(b, " tells what this kernel has of it.\n");
}

static void examples(struct buf *b, const struct applet *a)
{
	if (!a->examples || !a->examples->help)
		return;
	buf_str(b, ".SH EXAMPLES\n");
	for (const struct example *e = a->examples; e->help; e++) {
		buf_str(b, ".TP\n");
		literal(b, a->name);
		if (e->args && *e->args) {
			buf_chr(b, ' ');
			literal(b, e->args);
		}
		buf_chr(b, '\n');
		prose(b, e->help);
	}
}

void applet_man(struct buf *b, const struct applet *a)
{
	buf_str(b, ".TH ");
	for (const char *p = a->name; *p; p++)
		buf_chr(b, toupper((unsigned char)*p));
	buf_fmt(b, " 8 \"" DATE "\" \"bcctool %s\" \"System tracing\"\n.SH NAME\n",
		BCCTOOL_VERSION);
	word(b, a->name, strlen(a->name));
	buf_str(b, " \\- ");
	prose(b, a->summary);
	buf_str(b, ".SH SYNOPSIS\n");
	synopsis(b, a);
	buf_str(b, ".PP\n\\fBbcctool\\fR ");
	synopsis(b, a);
	buf_str(b, ".SH DESCRIPTION\n");
	paragraphs(b, a->doc && *a->doc ? a->doc : a->summary);
	requirements(b, a);
	options(b, a);
	fields(b, a);
	examples(b, a);
	buf_str(b,
		".SH OUTPUT\n"
		"Text, or JSON Lines with \\fB\\-\\-json\\fR: an object a row, and a last one "
		"with\n"
		"what was lost; or CSV with \\fB\\-\\-csv\\fR.\n"
		"What was lost is told on standard error too, whatever the form.\n"
		"In text and CSV, control characters and invalid UTF-8 that come from traced\n"
		"processes are written as \\fB\\ex\\fIHH\\fR.\n"
		".SH EXIT STATUS\n"
		"0 at the end of the trace, interrupted or not; 1 if it cannot be done; 2 if the\n"
		"command line is wrong.\n"
		".SH SEE ALSO\n"
		"\\fBbcctool\\fR(8)\n");
}
