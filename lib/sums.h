/*
 * Rows of a table that was read more than once between two reports, as one: values of equal keys
 * are added, u64 by u64.
 */
#ifndef SUMS_H
#define SUMS_H

#include "rows.h"

struct sums {
	struct rows rows;
	size_t *slots; /* 1 + the number of a row; 0 is free */
	size_t room;
};

/* All `more` rows must have the same shape. */
void sums_add(struct sums *sums, const struct rows *more);

/* Forgets the rows, for the next report. */
void sums_clear(struct sums *sums);

#endif
