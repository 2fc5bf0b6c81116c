#ifndef BRKSTACK_H
#define BRKSTACK_H

#include "stack.h"

struct brkstack_conf {
	bool all;
};

struct brkstack_key {
	u64 user;
	u32 pid;
	char comm[COMM_LEN];
	u32 unused;
};

struct brkstack_value {
	u64 count, bytes;
};

struct brkstack_row {
	struct brkstack_key key;
	struct brkstack_value value;
};

#endif
