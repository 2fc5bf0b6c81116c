#ifndef BIOPATTERN_H
#define BIOPATTERN_H

#include "disk.h"

struct biopattern_conf {
	struct bcc_disk disk;
};

struct biopattern_key {
	char disk[32];
};

struct biopattern_value {
	u64 random, sequential, bytes;
	u64 time, count; /* filled in when they are shown, as are the next */
	u64 random_percent, sequential_percent;
};

struct biopattern_row {
	struct biopattern_key key;
	struct biopattern_value value;
};

#endif
