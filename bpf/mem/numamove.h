#ifndef NUMAMOVE_H
#define NUMAMOVE_H

#include "types.h"

enum numamove_counter {
	NUMA_CALLS,
	NUMA_NS,
	NUMA_COUNTERS,
};

#endif
