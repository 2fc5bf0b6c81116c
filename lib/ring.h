/*
 * The reading end of a BPF ring buffer (kernel/bpf/ringbuf.c, Documentation/bpf/ringbuf.rst), or of
 * a perf buffer where the kernel has no ring buffer. The ring is mapped once, with a tail for the
 * records that wrap: half the resident memory of a mapping of both of its images.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>

#include <bpf/libbpf.h>

#include "types.h"

#define RING_RECORD_MAX (128 * 1024)

struct ring;

/* Called for each record; false stops reading after this one. */
typedef bool ring_fn(void *ctx, const void *record, size_t size);

/* NULL with errno. `map` is loaded; `perf` says it is a perf buffer. */
struct ring *ring_open(struct bpf_map *map, bool perf, ring_fn *fn, void *ctx);

/* Reads what is there; the number of records read, or -errno. */
long ring_read(struct ring *r);

int ring_fd(const struct ring *r);   /* to poll(2) for reading */
u64 ring_lost(const struct ring *r); /* perf buffer: what the kernel says was lost */

#endif
