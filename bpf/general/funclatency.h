#ifndef FUNCLATENCY_H
#define FUNCLATENCY_H

#include "hist.h"

struct funclatency_conf {
	u64 unit_ns;
	u32 levels; /* of nested calls; 0: all */
	bool by_function, by_process;
};

struct funclatency_key {
	u32 func;
	u32 pid; /* with -F of user functions too */
};

struct funclatency_value {
	struct bcc_hist hist; /* in units */
	u64 total_ns;
};

struct funclatency_row {
	struct funclatency_key key;
	struct funclatency_value value;
};

#endif
