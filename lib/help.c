/* --help: the applet's tables as text for a terminal. */
#include <stdlib.h>
#include <string.h>

#include "applet.h"
#include "opt.h"

#define WIDTH  80
#define COLUMN 26 /* where help begins, unless the option before it is longer */

/* Words of `text` up to an empty line, wrapped; the first line is already `at` columns long. */
static const char *paragraph(struct buf *b, const char *text, int at, int indent)
{
	bool first = true;

	while (*text && strncmp(text, "\n\n", 2)) {
		size_t len = strcspn(text, " \n");

		if (len && !first && at + 1 + (int)len >= WIDTH) {
			buf_chr(b, '\n');
			buf_fill(b, ' ', indent);
			at = indent;
		} else if (len && !first) {
			buf_chr(b, ' ');
			at++;
		}
		buf_mem(b, text, len);
		at += len;
		first = first && !len;
		text += len;
		if (*text == ' ' || (*text == '\n' && text[1] != '\n'))
			text++;
	}
	buf_chr(b, '\n');
	return text + strspn(text, "\n");
}

/* A line of a list: what was written since `start`, then its explanation. */
static void explain(struct buf *b, size_t start, const char *text)
{
	int at = b->len - start;

	if (at + 2 > COLUMN) {
		buf_chr(b, '\n');
		at = 0;
	}
	buf_fill(b, ' ', COLUMN - at);
	paragraph(b, text ?: "", COLUMN, COLUMN);
}

struct help {
	struct buf *b;
	bool own, any; /* which options to write; whether there were any */
};

static void option(const struct opt *o, bool own, void *ctx)
{
	struct help *h = ctx;
	size_t start;
	char *text;

	if (own != h->own)
		return;
	if (!h->any)
		buf_str(h->b, own ? "\nOptions:\n" : "\nOptions of every applet:\n");
	h->any = true;
	start = h->b->len;
	if (o->letter)
		buf_fmt(h->b, "  -%c, ", o->letter);
	else
		buf_str(h->b, "      ");
	buf_fmt(h->b, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ?: "");
	text = opt_text(o);
	explain(h->b, start, text);
	free(text);
}

void opt_usage(struct buf *b, const struct applet *a)
{
	int open = 0;

	for (const struct opt *o = a->positionals; o && o->name; o++) {
		buf_fmt(b, "%s%s%s%s", o == a->positionals ? "" : " ", o->needed ? "" : "[",
			o->name, o->many ? "..." : "");
		open += !o->needed;
	}
	buf_fill(b, ']', open);
}

void opt_help(struct buf *b, const struct applet *a)
{
	struct help own = { b, true }, shared = { b, false };

	buf_fmt(b, "Usage: %s [OPTION...]", a->name);
	for (const struct opt *o = a->options; o && o->name; o++)
		if (o->needed)
			buf_fmt(b, " --%s %s", o->name, o->arg);
	buf_str(b, a->positionals ? " " : "");
	opt_usage(b, a);
	buf_fmt(b, "\n%s: %s\n", a->name, a->summary);
	for (const struct opt *o = a->positionals; o && o->name; o++) {
		size_t start;

		if (o == a->positionals)
			buf_str(b, "\nArguments:\n");
		start = b->len;
		buf_fmt(b, "  %s", o->name);
		explain(b, start, o->help);
	}
	opt_each(a, option, &own);
	opt_each(a, option, &shared);
	for (const struct example *e = a->examples; e && e->help; e++) {
		size_t start;

		if (e == a->examples)
			buf_str(b, "\nExamples:\n");
		start = b->len;
		buf_fmt(b, "  %s%s%s", a->name, e->args && *e->args ? " " : "", e->args ?: "");
		explain(b, start, e->help);
	}
	for (const char *p = a->doc; p && *p;) {
		buf_chr(b, '\n');
		p = paragraph(b, p, 0, 0);
	}
}
