#ifndef SYNCSNOOP_H
#define SYNCSNOOP_H

#include "task.h"

enum sync_call {
	SYNC_SYNC,
	SYNC_FSYNC,
	SYNC_FDATASYNC,
	SYNC_MSYNC,
	SYNC_FILE_RANGE,
	SYNC_SYNCFS,
};

struct syncsnoop_event {
	struct bcc_task task;
	u32 call, unused; /* enum sync_call */
};

#endif
