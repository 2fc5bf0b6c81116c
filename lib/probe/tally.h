/*
 * Counts by key, in two hashes: programs fill one while the other is read, and an array of maps
 * says which (expr_count_in() of lib/expr/expr.h). No count is lost or read twice.
 */
#ifndef PROBE_TALLY_H
#define PROBE_TALLY_H

#include "rows.h"

struct tally {
	int tables;    /* the array of maps, for the programs */
	int buffer[2]; /* 0 is the one to be filled */
	u32 key_size;
	struct rows rows; /* as taken last: keys, and a u64 each */
};

/* Room for so many keys. 0 or -errno. */
int tally_init(struct tally *t, u32 key_size, u32 keys);

/* What was counted since it was taken last, or, to `keep` it, from the beginning. 0 or -errno. */
int tally_take(struct tally *t, bool keep);

u64 tally_count(const struct tally *t, const char *row);

#endif
