#ifndef LLCSTAT_H
#define LLCSTAT_H

#include "types.h"

struct llcstat_conf {
	u64 period;
	bool by_thread;
};

struct llcstat_key {
	u32 pid, tid, cpu;
	char comm[COMM_LEN];
};

struct llcstat_value {
	u64 references, misses;
};

struct llcstat_row {
	struct llcstat_key key;
	u32 unused;
	struct llcstat_value value;
};

#endif
