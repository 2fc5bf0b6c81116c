#ifndef THREADSNOOP_H
#define THREADSNOOP_H

#include "task.h"

struct threadsnoop_event {
	struct bcc_task task;
	u64 function;
};

#endif
