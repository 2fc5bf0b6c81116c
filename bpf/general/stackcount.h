#ifndef STACKCOUNT_H
#define STACKCOUNT_H

#include "stack.h"

/* The numbers of sites at the first instruction of a function. */
#define STACKCOUNT_ENTRY        1 /* of a program or library */
#define STACKCOUNT_KERNEL_ENTRY 2

struct stackcount_conf {
	u32 cpu_plus_1; /* 0: any */
	bool kernel_stacks, user_stacks;
	bool entries; /* some sites have such a number */
	bool by_process, by_name;
};

struct stackcount_key {
	u64 kernel, user;
	u32 pid; /* whose user frames they are, and with by_process of all */
	char comm[COMM_LEN];
	u32 unused;
};

struct stackcount_row {
	struct stackcount_key key;
	u64 count;
};

#endif
