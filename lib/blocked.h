/* Time off the CPU: bpf/lib/blocked.bpf.h follows it, the applets' options say which is meant. */
#ifndef BLOCKED_H
#define BLOCKED_H

#include "types.h"

struct blocked_conf {
	u64 min_us, max_us;
	u32 state;
	bool by_state; /* --state: of these bits, or of none if state is 0 */
	bool user_threads, kernel_threads;
	bool user_stacks, kernel_stacks;
};

#endif
