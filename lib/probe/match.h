/*
 * One pattern against many names: the part before its first special character is compared first,
 * so that most of a kernel's names are dismissed at the price of a few bytes.
 */
#ifndef PROBE_MATCH_H
#define PROBE_MATCH_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

/* A name itself; a glob of * ? [...]; a POSIX extended regular expression, from the name's start.
 */
enum match_kind { MATCH_EXACT, MATCH_GLOB, MATCH_REGEX };

struct match {
	enum match_kind kind;
	const char *pattern; /* the caller's; must stay */
	size_t literal;      /* so many of its bytes, after a ^, are themselves */
	regex_t regex;
};

/* 0; -EINVAL: not a regular expression, *why says what is wrong; -ENOMEM. */
int match_init(struct match *m, const char *pattern, enum match_kind kind, char why[80]);
void match_free(struct match *m);
bool match_test(const struct match *m, const char *name);

/* Whether the text has characters that are special in globs. */
bool is_glob(const char *text);

#endif
