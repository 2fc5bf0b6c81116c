#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"
#include "util.h"

/* How far the text has been read. Parts are cut out of the copy as they are recognized. */
struct reader {
	const char *text;
	char *copy;
	u32 at;
	bool regex;
	struct spec_error *err;
};

static int complain(struct reader *r, u32 at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int complain(struct reader *r, u32 at, const char *fmt, ...)
{
	va_list ap;

	r->err->at = at;
	va_start(ap, fmt);
	vsnprintf(r->err->text, sizeof(r->err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Go's methods: os.(*File).Read. Where the parenthesis at `at` is of a name, its end; else `at`. */
static u32 go_receiver(const char *text, u32 at)
{
	size_t n;

	if (!at || text[at - 1] != '.')
		return at;
	n = strcspn(text + at, " \t\n\"');");
	return text[at + n] == ')' ? at + n + 1 : at;
}

static bool is_path(const char *s)
{
	return *s == '/' || *s == '.';
}

/* The end of a part that a colon may end. */
static u32 part_end(const struct reader *r)
{
	const char *s = r->text;
	u32 at = r->at;

	if (is_path(s + at)) {
		size_t n = strcspn(s + at, ":");

		if (s[at + n])
			return at + n;
	}
	for (;;) {
		at += strcspn(s + at, ": \t\n\"'#(");
		if (s[at] != '(' || go_receiver(s, at) == at)
			return at;
		at = go_receiver(s, at);
	}
}

/* The end of the last part, in which :: is C++'s. */
static u32 name_end(struct reader *r)
{
	struct reader rest = *r;

	if (r->regex)
		return strlen(r->text);
	while (rest.at = part_end(&rest), r->text[rest.at] == ':' && r->text[rest.at + 1] == ':')
		rest.at += 2;
	return rest.at;
}

/* The next part, if a colon follows it: cut out of the copy, and read. */
static const char *take_part(struct reader *r)
{
	u32 start = r->at, end = part_end(r);

	if (r->text[end] != ':')
		return NULL;
	r->copy[end] = '\0';
	r->at = end + 1;
	return r->copy + start;
}

/* "name+0x10": cuts the offset off. */
static int take_offset(struct reader *r, struct spec *s, char *name)
{
	char *plus = strrchr(name, '+');

	if (!plus || !isdigit((unsigned char)plus[1]) || s->match == MATCH_REGEX)
		return 0;
	if (!parse_u64(plus + 1, 1 << 30, &s->offset))
		return complain(r, plus + 1 - r->copy, "not an offset");
	if (s->kind != SPEC_ENTRY && s->offset)
		return complain(r, plus - r->copy, "only a probe in a function has an offset");
	*plus = '\0';
	if (s->match == MATCH_GLOB && s->offset)
		return complain(r, plus - r->copy, "an offset needs a function's whole name");
	return 0;
}

static int take_name(struct reader *r, struct spec *s)
{
	u32 end = name_end(r);
	char *name = r->copy + r->at;

	for (u32 i = r->at; i < end; i++)
		if ((unsigned char)r->text[i] < ' ' || r->text[i] == 127)
			return complain(r, i, "a control character in a name");
	s->name = name;
	s->name_at = r->at;
	s->end = end;
	r->copy[end] = '\0';
	s->match = r->regex                                                        ? MATCH_REGEX
		   : is_glob(name) || is_glob(s->category) || is_glob(s->provider) ? MATCH_GLOB
										   : MATCH_EXACT;
	if (s->kind == SPEC_ENTRY || s->kind == SPEC_RETURN) {
		int err = take_offset(r, s, name);

		if (err)
			return err;
	}
	if (!*name)
		return complain(r, r->at, "a name is missing");
	if (*name == '/' && !*s->library && !r->regex)
		return complain(r, end, "after a path comes :FUNCTION");
	if (*name == ':' && !r->regex)
		return complain(r, r->at, "a name cannot begin with a colon");
	r->at = end;
	return 0;
}

enum place { ANYWHERE, IN_KERNEL, IN_USER };

struct prefix {
	const char *word;
	enum spec_kind kind;
	enum place place;
};

static const struct prefix *find_prefix(const char *word)
{
	static const struct prefix prefixes[] = {
		{ "p", SPEC_ENTRY, ANYWHERE },
		{ "k", SPEC_ENTRY, IN_KERNEL },
		{ "kprobe", SPEC_ENTRY, IN_KERNEL },
		{ "uprobe", SPEC_ENTRY, IN_USER },
		{ "r", SPEC_RETURN, ANYWHERE },
		{ "kr", SPEC_RETURN, IN_KERNEL },
		{ "kretprobe", SPEC_RETURN, IN_KERNEL },
		{ "ur", SPEC_RETURN, IN_USER },
		{ "uretprobe", SPEC_RETURN, IN_USER },
		{ "t", SPEC_TRACEPOINT, IN_KERNEL },
		{ "tracepoint", SPEC_TRACEPOINT, IN_KERNEL },
		{ "u", SPEC_USDT, IN_USER },
		{ "usdt", SPEC_USDT, IN_USER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strcmp(word, prefixes[i].word))
			return &prefixes[i];
	return NULL;
}

static int take_function(struct reader *r, struct spec *s, enum place place)
{
	u32 start = r->at;
	const char *library = take_part(r);

	if (library)
		s->library = library;
	if (place == IN_USER && !*s->library)
		return complain(r, start, "a library or program is missing: uprobe:PATH:NAME");
	if (place == IN_KERNEL && *s->library)
		return complain(r, start, "a kernel function has no library: kprobe:NAME");
	return take_name(r, s);
}

static int take_tracepoint(struct reader *r, struct spec *s)
{
	u32 start = r->at;
	const char *category = take_part(r);

	if (!category || !*category)
		return complain(r, start, "a tracepoint is named t:CATEGORY:EVENT");
	s->category = category;
	return take_name(r, s);
}

static int take_usdt(struct reader *r, struct spec *s)
{
	u32 start = r->at;
	const char *library = take_part(r), *provider = library ? take_part(r) : NULL;

	if (!library)
		return complain(r, start, "a USDT probe is named u:LIBRARY:PROBE");
	s->library = library;
	if (provider)
		s->provider = provider;
	return take_name(r, s);
}

/* A regular expression may have colons of its own, as in [[:alpha:]]; no library has brackets. */
static bool is_all_regex(const struct reader *r)
{
	return r->regex && !is_path(r->text + r->at) &&
	       strcspn(r->text + r->at, "[(^*|\\") < strcspn(r->text + r->at, ":");
}

static int take(struct reader *r, struct spec *s)
{
	u32 start = r->at;
	const char *first = is_all_regex(r) ? NULL : take_part(r);
	const struct prefix *prefix = first ? find_prefix(first) : NULL;

	if (!first)
		return take_name(r, s);
	if (!prefix) {
		if (!*first)
			return complain(r, start, "a library is missing before the colon");
		s->library = first;
		return take_name(r, s);
	}
	s->kind = prefix->kind;
	switch (s->kind) {
	case SPEC_TRACEPOINT: return take_tracepoint(r, s);
	case SPEC_USDT: return take_usdt(r, s);
	default: return take_function(r, s, prefix->place);
	}
}

int spec_parse(struct spec *s, const char *text, bool regex, struct spec_error *err)
{
	struct reader r = { .text = text, .regex = regex, .err = err };
	int ret;

	*s = (struct spec){ .library = "", .category = "", .provider = "" };
	r.at = strspn(text, " \t\n");
	if (strnlen(text, SPEC_MAX + 1) > SPEC_MAX)
		return complain(&r, SPEC_MAX, "too long");
	r.copy = s->copy = strdup(text);
	if (!r.copy)
		return -ENOMEM;
	ret = take(&r, s);
	if (ret)
		spec_free(s);
	return ret;
}

void spec_free(struct spec *s)
{
	free(s->copy);
	s->copy = NULL;
}

void spec_caret(struct buf *b, const char *text, const struct spec_error *err)
{
	const char *place, *line, *end;

	if (err->at == SPEC_NOWHERE) {
		buf_str(b, err->text);
		return;
	}
	place = line = text + err->at;
	end = place + strcspn(place, "\n");
	while (line > text && line[-1] != '\n')
		line--;
	buf_fmt(b, "%s\n  ", err->text);
	buf_safe(b, line, end - line);
	buf_fmt(b, "\n  %*s^", (int)(place - line), "");
}
