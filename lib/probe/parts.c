#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "parts.h"

static bool __attribute__((format(printf, 4, 5)))
wrong(struct expr_error *err, u32 start, u32 end, const char *fmt, ...)
{
	va_list ap;

	*err = (struct expr_error){ .pos = start, .len = end - start };
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return false;
}

/* Behind a string or character literal. */
static u32 skip_quoted(const char *text, u32 at)
{
	char quote = text[at++];

	while (text[at] && text[at] != quote)
		at += text[at] == '\\' && text[at + 1] ? 2 : 1;
	return text[at] ? at + 1 : at;
}

/* The next of the characters that end a part. */
static u32 part_end(const char *text, u32 at, const char *ends)
{
	int depth = 0, choices = 0;

	while (text[at]) {
		char c = text[at];

		if (c == '"' || c == '\'') {
			at = skip_quoted(text, at);
			continue;
		}
		if (c == ':' && choices && !depth)
			choices--;
		else if (!depth && strchr(ends, c))
			break;
		depth += (c == '(' || c == '[') - (c == ')' || c == ']');
		choices += c == '?' && !depth;
		at++;
	}
	return at;
}

static struct expr_source trimmed(const char *text, u32 start, u32 end)
{
	while (start < end && strchr(" \t\n", text[start]))
		start++;
	while (end > start && strchr(" \t\n", text[end - 1]))
		end--;
	return (struct expr_source){ text, start, end };
}

bool part_is_empty(struct expr_source part)
{
	return part.start == part.end;
}

/* A list up to ':' or '#' or the end; *at is then that character. How many, 0 with *err. */
static int parse_list(const char *text, u32 *at, struct expr_source list[PARTS_VALUES],
		      struct expr_error *err)
{
	for (int n = 0;; ++*at) {
		u32 end = part_end(text, *at, ",:#");

		if (n == PARTS_VALUES)
			return wrong(err, *at, end, "these are too many values");
		list[n] = trimmed(text, *at, end);
		if (part_is_empty(list[n++]))
			return wrong(err, end, end + 1, "something is missing here");
		*at = end;
		if (text[end] != ',')
			return n;
	}
}

static bool parse_values(struct parts *p, const char *text, u32 *at, struct expr_error *err)
{
	u32 start = ++*at;
	int ntypes = parse_list(text, at, p->types, err);

	if (!ntypes)
		return false;
	if (text[*at] != ':')
		return wrong(err, start, *at, "a type is followed by a value, as in u32:$PID");
	++*at;
	p->nvalues = parse_list(text, at, p->values, err);
	if (p->nvalues && ntypes != p->nvalues)
		return wrong(err, start, *at, "there are %d types for %d values", ntypes,
			     p->nvalues);
	return p->nvalues;
}

bool parts_parse(struct parts *p, const char *text, u32 at, struct expr_error *err)
{
	u32 end = strlen(text);

	*p = (struct parts){ 0 };
	at = trimmed(text, at, end).start;
	if (text[at] == ':' && !parse_values(p, text, &at, err))
		return false;
	if (text[at] == ':') {
		u32 start = at + 1;

		at = part_end(text, start, "#");
		p->filter = trimmed(text, start, at);
	}
	if (text[at] == '#')
		p->label = trimmed(text, at + 1, end);
	else if (text[at])
		return wrong(err, at, end, "here a colon and a type, or # and a label, can follow");
	return true;
}
