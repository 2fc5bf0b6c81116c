#ifndef FUNCCOUNT_H
#define FUNCCOUNT_H

#include "types.h"

struct funccount_conf {
	u32 cpu_plus_1; /* 0: any */
};

struct funccount_row {
	u32 func; /* the number of its site */
	u64 count;
};

#endif
