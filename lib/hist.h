/* A histogram: bpf/lib/hist.bpf.h counts into it, run_hist() prints it. */
#ifndef HIST_H
#define HIST_H

#include "types.h"

/* log2: slot 0 holds 0 and 1, slot n holds 2^n to 2^(n+1) - 1. Linear: slot n holds n. */
#define HIST_SLOTS 64

struct bcc_hist {
	u64 slots[HIST_SLOTS];
	u64 sum; /* of the values counted */
};

#endif
