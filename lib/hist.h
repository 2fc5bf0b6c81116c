/* A histogram: bpf/lib/hist.bpf.h counts into it, run_hist() prints it. */
#ifndef HIST_H
#define HIST_H

#include "types.h"

/*
 * log2: slot 0 holds 0 and 1, slot n holds 2^n to 2^(n+1) - 1. Linear: slot n holds n, or the
 * values from n * step on.
 */
#define HIST_SLOTS 64

struct bcc_hist {
	u64 slots[HIST_SLOTS];
	u64 sum; /* of the values counted */
};

#ifndef __bpf__
struct buf;

u64 hist_count(const struct bcc_hist *h); /* how many values it has */

/*
 * The log2 form in BCC's layout; `head` says what is counted. `negative`: how many values were less
 * than 0, a row of their own. Nothing if all are 0.
 */
void hist_log2_text(struct buf *b, const char *head, u64 negative, const u64 slots[HIST_SLOTS]);

/* The linear form: slot n is of the values from n * step on. */
void hist_linear_text(struct buf *b, const char *head, u64 step, const u64 slots[HIST_SLOTS]);

/* "|****    |" and a newline: as many stars of `width` as count has of max. */
void hist_stars(struct buf *b, u64 count, u64 max, int width);
#endif

#endif
