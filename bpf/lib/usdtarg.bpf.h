/* The arguments of USDT probes, for programs that know by their conf where these are. */
#ifndef USDTARG_BPF_H
#define USDTARG_BPF_H

#include "usdtarg.h"

/* 0 if it cannot be read, which is counted. */
static __always_inline u64 usdtarg_get(struct pt_regs *ctx, const volatile struct usdtarg *a)
{
	u64 at = 0, v = a->value;

	if (a->base >= 0) {
		u32 offset = a->base;

		barrier_var(offset);
		offset &= 0x3ff; /* the verifier wants to see a bound; pt_regs is smaller */
		if (bpf_probe_read_kernel(&at, sizeof(at), (void *)ctx + offset)) {
			lose(LOST_TEXT);
			return 0;
		}
		v = at;
	}
	if (a->memory && bpf_probe_read_user(&v, sizeof(v), (void *)(at + a->value))) {
		lose(LOST_TEXT);
		return 0;
	}
	return v << (a->discard & 63) >> (a->discard & 63);
}

#endif
