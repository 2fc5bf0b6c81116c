#ifndef RUNQSLOWER_H
#define RUNQSLOWER_H

#include "types.h"

struct runqslower_conf {
	u64 min_ns;
};

struct runqslower_event {
	u64 time, lat_ns;
	u32 pid, tid;
	u32 prev_pid, prev_tid;
	char comm[COMM_LEN], prev_comm[COMM_LEN];
};

#endif
