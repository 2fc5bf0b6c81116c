#ifndef BIOTOP_H
#define BIOTOP_H

#include "disk.h"
#include "types.h"

struct biotop_conf {
	struct bcc_disk disk;
};

struct biotop_key {
	u32 pid;
	char comm[COMM_LEN];
	u32 op, major, minor;
	char disk[32];
};

struct biotop_value {
	u64 count, bytes, total_ns;
	u64 average_ns; /* filled in when it is shown */
};

struct biotop_row {
	struct biotop_key key;
	struct biotop_value value;
};

#endif
