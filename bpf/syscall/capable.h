#ifndef CAPABLE_H
#define CAPABLE_H

#include "stack.h"
#include "task.h"

struct capable_conf {
	u32 depth;      /* frames */
	bool unaudited; /* -v */
	bool unique, by_cgroup;
	bool kernel_stack, user_stack;
	bool options; /* the last argument is bits, since 5.1; before, whether to audit */
};

struct capable_event {
	struct bcc_task task;
	u32 cap;
	s32 insetid; /* -1: not known */
	bool audit, allowed;
	u8 unused[6];
	struct bcc_stack kernel, user; /* left out if neither is wanted */
};

#endif
