#ifndef RUNQLEN_H
#define RUNQLEN_H

#include "hist.h"

struct runqlen_conf {
	bool by_cpu;
	bool host; /* --host */
};

struct runqlen_row {
	u32 cpu, unused;
	struct bcc_hist hist;
};

#endif
