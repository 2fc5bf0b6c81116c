/*
 * Names of code that a process made while it ran, as runtimes with a compiler inside write them
 * down: /tmp/perf-PID.map, lines of "START SIZE NAME", the numbers hexadecimal. Rows need not be in
 * order, and what came later in the file was later in that place.
 *
 * Source: tools/perf/Documentation/jit-interface.txt of Linux.
 */
#ifndef PERFMAP_H
#define PERFMAP_H

#include <stddef.h>

#include "types.h"

struct perfmap;

/*
 * fd: a regular file open for reading; stays the caller's. What does not look like a row is passed
 * over, and what is over a limit left out. -EIO, -ENOMEM.
 */
int perfmap_load(struct perfmap **pm, int fd);
int perfmap_load_mem(struct perfmap **pm, const char *text, size_t len);
void perfmap_free(struct perfmap *pm);

/* The name of what is at an address, and how far in; NULL: nothing is known to be. */
const char *perfmap_find(const struct perfmap *pm, u64 addr, u64 *offset);

u32 perfmap_count(const struct perfmap *pm);
size_t perfmap_memory(const struct perfmap *pm);

#endif
