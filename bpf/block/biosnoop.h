#ifndef BIOSNOOP_H
#define BIOSNOOP_H

#include "disk.h"
#include "task.h"

struct biosnoop_conf {
	struct bcc_disk disk;
	u64 min_ns;
};

enum biosnoop_pattern { PATTERN_UNKNOWN, PATTERN_SEQUENTIAL, PATTERN_RANDOM };

struct biosnoop_event {
	struct bcc_task task; /* who submitted it; the time is that of its end */
	u64 sector, queue_ns, lat_ns;
	u32 bytes;
	u8 op, pattern, unused[2];
	char disk[32];
};

#endif
