/*
 * A histogram of numbers that were counted one by one, by powers of two or with buckets of one
 * width. Buckets follow each other, empty ones too.
 */
#ifndef BUCKETS_H
#define BUCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define BUCKETS_LINEAR 64 /* of one width, at most */

struct counted {
	u64 value; /* or s64 */
	u64 count;
};

struct buckets {
	struct bucket {
		u64 low, high; /* s64 if is_signed */
		u64 count;
		bool is_signed;
	} * at;
	size_t n;
	bool log2;
};

/*
 * From values by rising value, less than BUCKETS_LINEAR buckets: their width is 1, 2 or 5 times a
 * power of ten.
 */
void buckets_linear(struct buckets *b, const struct counted *values, size_t n, bool is_signed);

/*
 * From numbers of powers of two, in any order: 0 for 0, n for 2^(n-1) to 2^n - 1, -1 for all that
 * is negative. As in BCC the first bucket is of 0 and 1.
 */
void buckets_log2(struct buckets *b, const struct counted *powers, size_t n);
void buckets_free(struct buckets *b);

u64 buckets_sum(const struct buckets *b);
void bucket_bound(struct buf *b, const struct bucket *bucket, u64 bound);

/* In BCC's layout; `head` says what is counted. Nothing without buckets. */
void buckets_text(struct buf *out, const struct buckets *b, const char *head);

/* [{"low":0,"high":1,"count":7}, ...] */
void buckets_json(struct buf *out, const struct buckets *b);

#endif
