#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match.h"

bool is_glob(const char *text)
{
	return strpbrk(text, "*?[");
}

static bool anchored(const struct match *m)
{
	return m->kind == MATCH_REGEX && m->pattern[0] == '^';
}

/* How many bytes come before the first special one; a repetition may make its own byte optional. */
static size_t literal_length(const char *pattern, enum match_kind kind)
{
	size_t n;

	if (kind == MATCH_EXACT)
		return strlen(pattern);
	if (kind == MATCH_GLOB)
		return strcspn(pattern, "*?[\\");
	if (strchr(pattern, '|'))
		return 0;
	n = strcspn(pattern, ".[]()*+?{}\\^$");
	return n && pattern[n] && strchr("*?{", pattern[n]) ? n - 1 : n;
}

/* Every pattern is tried where the name begins, as BCC does. */
static int compile(struct match *m, const char *pattern, char why[80])
{
	char *anchored;
	int err;

	if (asprintf(&anchored, "^(%s)", pattern) < 0)
		return -ENOMEM;
	err = regcomp(&m->regex, anchored, REG_EXTENDED | REG_NOSUB);
	free(anchored);
	if (err == REG_ESPACE)
		return -ENOMEM;
	if (err)
		regerror(err, &m->regex, why, 80);
	return err ? -EINVAL : 0;
}

int match_init(struct match *m, const char *pattern, enum match_kind kind, char why[80])
{
	*m = (struct match){ .kind = kind, .pattern = pattern };
	m->literal = literal_length(pattern + anchored(m), kind);
	return kind == MATCH_REGEX ? compile(m, pattern, why) : 0;
}

void match_free(struct match *m)
{
	if (m->kind == MATCH_REGEX)
		regfree(&m->regex);
}

bool match_test(const struct match *m, const char *name)
{
	if (strncmp(name, m->pattern + anchored(m), m->literal))
		return false;
	switch (m->kind) {
	case MATCH_EXACT: return !name[m->literal];
	case MATCH_GLOB: return !fnmatch(m->pattern + m->literal, name + m->literal, 0);
	case MATCH_REGEX: return !regexec(&m->regex, name, 0, NULL, 0);
	}
	return false;
}
