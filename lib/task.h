/* Who an event is about: the head of most events, filled by task_now() in BPF. */
#ifndef TASK_H
#define TASK_H

#include "types.h"

struct bcc_task {
	u64 time; /* CLOCK_MONOTONIC, ns */
	u32 pid, tid, uid;
	char comm[COMM_LEN];
	u32 unused; /* no padding that would carry kernel memory */
};

#endif
