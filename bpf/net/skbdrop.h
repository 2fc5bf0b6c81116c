#ifndef SKBDROP_H
#define SKBDROP_H

#include "stack.h"

struct skbdrop_conf {
	bool reasons; /* the kernel tells them: 5.17 and later */
};

struct skbdrop_key {
	u64 kernel;
	u32 reason, unused;
};

struct skbdrop_row {
	struct skbdrop_key key;
	u64 count;
};

#endif
