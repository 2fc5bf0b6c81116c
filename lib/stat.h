/*
 * A row of run_stat(): what the counters gained in an interval. An applet names them in a struct of
 * its own, laid out as this one: struct vfsstat_row { struct bcc_interval interval; u64 read, ...;
 * }.
 */
#ifndef STAT_H
#define STAT_H

#include "buf.h"

#define STAT_MAX 32

struct bcc_interval {
	u64 time, interval_ns; /* its end, and how long it really was */
};

struct bcc_stat {
	struct bcc_interval interval;
	u64 count[STAT_MAX];
};

/* For a column's .text: the counter as a rate a second, rounded. */
void stat_rate(struct buf *b, const void *field, const void *row);

#endif
