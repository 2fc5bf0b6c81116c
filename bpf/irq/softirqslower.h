#ifndef SOFTIRQSLOWER_H
#define SOFTIRQSLOWER_H

#include "types.h"

struct softirqslower_conf {
	u64 min_ns;
	s32 cpu; /* -1: all */
};

enum softirqslower_stage { STAGE_RAISED, STAGE_RUN };

struct softirqslower_event {
	u64 time, lat_ns;
	u32 stage, softirq, cpu, pid;
	char comm[COMM_LEN];
};

#endif
