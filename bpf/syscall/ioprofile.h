#ifndef IOPROFILE_H
#define IOPROFILE_H

#include "stack.h"
#include "task.h"

#define IOPROFILE_CALLS 512 /* numbers above are no I/O */

struct ioprofile_conf {
	u64 wanted[2][IOPROFILE_CALLS / 64]; /* bits by number; of 64-bit and of 32-bit programs */
};

struct ioprofile_key {
	u64 user;
	u32 pid, call, is_32;
	char comm[COMM_LEN];
	u32 unused;
};

struct ioprofile_row {
	struct ioprofile_key key;
	u64 count;
};

#endif
