/* Where a program finds an argument of a USDT probe: the forms of lib/operand.h without index. */
#ifndef USDTARG_H
#define USDTARG_H

#include "types.h"

struct usdtarg {
	s64 value;
	s32 base;    /* offset in the pt_regs of the probe; -1: `value` is the argument */
	u32 memory;  /* it is what is at base + value; else it is in the register */
	u32 discard; /* bits above those that count */
	u32 unused;
};

#endif
