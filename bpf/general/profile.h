#ifndef PROFILE_H
#define PROFILE_H

#include "stack.h"
#include "task.h"

struct profile_conf {
	bool kernel_stacks, user_stacks;
	bool idle; /* samples of idle CPUs, too */
};

struct profile_key {
	u64 kernel, user;
	u32 pid;
	char comm[COMM_LEN];
	u32 unused;
};

struct profile_row {
	struct profile_key key;
	u64 count;
};

#endif
