#ifndef OOMKILL_H
#define OOMKILL_H

#include "stack.h"

struct oomkill_event {
	u64 time;
	u32 pid, killed_pid;
	char comm[COMM_LEN], killed_comm[COMM_LEN];
	u64 pages;
	struct bcc_stack user;
};

#endif
