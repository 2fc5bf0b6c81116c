#ifndef KLOCKSTAT_H
#define KLOCKSTAT_H

#include "stack.h"

struct klockstat_conf {
	u64 lock; /* its address; 0: all */
	bool by_thread;
};

struct klockstat_key {
	u64 kernel;   /* of where the lock is asked for */
	u32 pid, tid; /* with by_thread */
	char comm[COMM_LEN];
};

struct klockstat_value {
	u64 acq_count, acq_total_ns, acq_max_ns;
	u64 hld_count, hld_total_ns, hld_max_ns;
};

struct klockstat_row {
	struct klockstat_key key;
	struct klockstat_value value;
};

#endif
