/*
 * What a TABLE of a BPF program holds, read whole: the programs are turned to the other buffer
 * first, so that a value is read once and no count is lost. Or what COUNTERS gained since they
 * were read last (both: bpf/lib/bcctool.bpf.h).
 */
#ifndef ROWS_H
#define ROWS_H

#include "run.h"

struct rows {
	char *data; /* n rows: the key, and at `value` the value */
	size_t n, size, value;
	size_t room; /* rows that fit in data */
	u64 *before; /* counters, as they were read last */
};

/* Before loading: how many keys the table takes. */
void rows_limit(struct run *run, const char *table, unsigned entries);

/* The same, and the kernel takes memory for keys as they come: safe in tracing since 6.1. */
void rows_spare(struct run *run, const char *table, unsigned entries);

/* Reads and empties the table. Dies if the kernel does not let us. */
void rows_take(struct run *run, const char *table, struct rows *rows);

/*
 * Adds what a hash holds, and empties it unless `keep`. rows->value is where the value begins, its
 * key's size or more; rows->size that plus the value's size.
 */
void rows_read(int map, size_t key_size, bool keep, struct rows *rows);

/* The counters that are not as they were: as key their number, a u32, as value the difference. */
void rows_count(struct run *run, const char *counters, struct rows *rows);

/* Drops rows that the applet's event() does not want, and sorts the others as the applet says. */
void rows_sort(struct run *run, struct rows *rows);

/* Row i. */
static inline char *rows_at(const struct rows *rows, size_t i)
{
	return rows->data + i * rows->size;
}

#endif
