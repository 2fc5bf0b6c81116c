#ifndef FUNCSLOWER_H
#define FUNCSLOWER_H

#include "stack.h"
#include "task.h"

#define FUNCSLOWER_ARGS 6

struct funcslower_conf {
	u64 min_ns;
	u32 args;
	bool kernel_stack, user_stack;
};

struct funcslower_event {
	struct bcc_task task; /* its time is that of the call */
	u64 lat_ns, retval;
	u64 args[FUNCSLOWER_ARGS];
	u32 func, unused;
	struct bcc_stack kernel, user; /* left out if neither is wanted */
};

#endif
