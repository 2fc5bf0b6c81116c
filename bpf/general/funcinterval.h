#ifndef FUNCINTERVAL_H
#define FUNCINTERVAL_H

#include "hist.h"

struct funcinterval_conf {
	u64 unit_ns;
};

struct funcinterval_row {
	u32 unused; /* there is one histogram */
	struct bcc_hist hist;
};

#endif
