/* A line of run_stat(): what the counters gained in an interval. */
#ifndef STAT_H
#define STAT_H

#include "types.h"

#define STAT_MAX 32

struct bcc_stat {
	u64 time, interval_ns;
	u64 count[STAT_MAX];
};

#endif
