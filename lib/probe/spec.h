/*
 * The names of probes, as they are written after trace, argdist, funccount and their kin:
 *
 *	name  p:name  p::name  k:name  kprobe:name       a kernel function
 *	lib:name  p:lib:name  uprobe:lib:name            a function of a library or program
 *	r:name  r::name  r:lib:name  kretprobe:name  uretprobe:lib:name    their return
 *	t:category:event  tracepoint:category:event      a tracepoint
 *	u:lib:probe  u:lib:provider:probe  usdt:...      a USDT probe
 *
 * `lib` is a short name (c, ssl) or a path, which begins with / or . and may have any character but
 * a colon. The last name may be a glob (* ? [...]), and then the category too; the entry of a
 * function may be followed by +offset. A name ends at a blank, a quote, '#', a colon that is not
 * C++'s :: and a parenthesis that is not Go's, os.(*File).Read; what is there is the caller's.
 */
#ifndef PROBE_SPEC_H
#define PROBE_SPEC_H

#include <stdbool.h>

#include "buf.h"
#include "match.h"
#include "types.h"

#define SPEC_MAX 65536 /* bytes of a text */

enum spec_kind { SPEC_ENTRY, SPEC_RETURN, SPEC_TRACEPOINT, SPEC_USDT };

struct spec {
	enum spec_kind kind;
	const char *library;  /* "": the kernel; of USDT: whatever the process has */
	const char *category; /* of a tracepoint */
	const char *provider; /* of USDT, "": any */
	const char *name;
	enum match_kind match; /* how `name` and `category` are meant */
	u64 offset;
	u32 name_at, end; /* where in the text the name is, and what follows it */
	char *copy;       /* what the strings are in */
};

/* What is wrong, and where in the text. */
#define SPEC_NOWHERE ((u32)-1) /* no place in the text: the machine's fault, not the text's */

struct spec_error {
	u32 at;
	char text[256];
};

/*
 * Reads the name that `text` begins with, blanks before it skipped. `regex`: the name is a regular
 * expression and the whole rest of the text. 0; -EINVAL with *err; -ENOMEM. spec_free() is only
 * needed after 0.
 */
int spec_parse(struct spec *s, const char *text, bool regex, struct spec_error *err);
void spec_free(struct spec *s);

/* The error, below it the line of the text that it is in, if any, and a caret under the place. */
void spec_caret(struct buf *b, const char *text, const struct spec_error *err);

#endif
