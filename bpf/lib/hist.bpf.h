#ifndef HIST_BPF_H
#define HIST_BPF_H

#include "hist.h"

/* floor(log2(v)), 0 for 0 and 1: the slot of lib/hist.h. */
static __always_inline u32 log2_slot(u64 v)
{
	u32 slot = 0;

#pragma unroll
	for (int bit = 32; bit; bit >>= 1)
		if (v >> bit) {
			v >>= bit;
			slot += bit;
		}
	return slot & (HIST_SLOTS - 1);
}

static __always_inline void hist_add(struct bcc_hist *h, u64 v)
{
	__sync_fetch_and_add(&h->slots[log2_slot(v)], 1);
	__sync_fetch_and_add(&h->sum, v);
}

/* A slot a value; the last holds all that is larger. */
static __always_inline void hist_add_linear(struct bcc_hist *h, u64 v)
{
	u32 slot = v < HIST_SLOTS ? v : HIST_SLOTS - 1;

	barrier_var(slot); /* a verifier of 6.1 does not see the bound otherwise */
	slot &= HIST_SLOTS - 1;
	__sync_fetch_and_add(&h->slots[slot], 1);
	__sync_fetch_and_add(&h->sum, v);
}

#endif
