#ifndef EXITSNOOP_H
#define EXITSNOOP_H

#include "task.h"

struct exitsnoop_conf {
	bool failed;    /* -x */
	bool threads;   /* --per-thread */
	bool until_end; /* -p: send the last of a process in any case */
};

struct exitsnoop_event {
	struct bcc_task task;
	u64 age_ns;
	u32 ppid;
	u32 exit_code; /* the status; 0 if a signal ended it */
	u32 signal;
	bool core_dumped;
	bool last;    /* the process is over */
	bool unasked; /* sent for `last` alone */
	u8 unused;
};

#endif
