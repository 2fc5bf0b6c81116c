#ifndef CACHETOP_H
#define CACHETOP_H

#include "cachestat.h"

struct cachetop_key {
	u32 pid, uid;
	char comm[COMM_LEN];
};

struct cachetop_value {
	u64 count[CACHE_COUNTERS];
	u64 hits, misses, dirties; /* what follows from them: filled when it is shown */
	u64 read_hits, reads, write_hits, writes;
};

struct cachetop_row {
	struct cachetop_key key;
	struct cachetop_value value;
};

#endif
