/*
 * Functions of a library, or tracepoints, each of which plays a part that the applet has a number
 * for: its program finds the part of what fired in a table, by the number of the site.
 */
#ifndef PROBE_STORY_H
#define PROBE_STORY_H

#include <stddef.h>

#include "types.h"

/* What the program is told at its entry, and at its return; 0: that is not probed. */
struct story {
	const char *name; /* "malloc"; of tracepoints "kmalloc" */
	u8 entry, returned;
};

/*
 * For check(), before probed_check(): adds those that are there of `n` stories; `where` is what
 * precedes their names, "c:", "c:je_" or "t:kmem:". All patterns are regular expressions then.
 */
void stories_add(const char *where, const struct story *stories, size_t n);

/* The same where each has to be there: as patterns of their own. */
void stories_add_each(const char *where, const struct story *stories, size_t n);

/* After probed_prepare(): part[number of a site], of which there is room for so many. Dies if not.
 */
void stories_tell(u8 *part, u32 room);

#endif
