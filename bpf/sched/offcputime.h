#ifndef OFFCPUTIME_H
#define OFFCPUTIME_H

#include "stack.h"

struct offcputime_conf {
	u64 min_us, max_us;
	u32 state;
	bool by_state; /* --state: of these bits, or of none if state is 0 */
	bool user_threads, kernel_threads;
	bool user_stacks, kernel_stacks;
};

struct offcputime_key {
	u64 kernel, user;
	u32 pid, tid;
	char comm[COMM_LEN];
};

struct offcputime_value {
	union {
		u64 ns; /* while it is summed */
		u64 us; /* when it is shown */
	};
	u64 count;
};

struct offcputime_row {
	struct offcputime_key key;
	struct offcputime_value off;
};

#endif
