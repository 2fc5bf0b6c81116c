/*
 * The perf map of one process, for as long as it is asked for: found through the process's own
 * root and under the pid that it has in its own namespace, kept open so that it outlives both, and
 * read again when it has grown. As perf does, only the process's user and root are believed.
 *
 * Source: perfmap.h; NSpid of proc(5).
 */
#ifndef JITMAP_H
#define JITMAP_H

#include <stddef.h>

#include "types.h"

struct jitmap;

struct jitmap *jitmap_new(u32 pid); /* NULL: out of memory */
void jitmap_free(struct jitmap *j);

/* Opens the file if it is there by now: while the process lives, now and then. */
void jitmap_look(struct jitmap *j);
bool jitmap_there(const struct jitmap *j);
const char *jitmap_path(const struct jitmap *j); /* as the process sees it */

/* As perfmap_find(); strings are good until the next call. */
const char *jitmap_find(struct jitmap *j, u64 addr, u64 *offset);

size_t jitmap_memory(const struct jitmap *j);

#endif
