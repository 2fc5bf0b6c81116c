#ifndef BIOLATENCY_H
#define BIOLATENCY_H

#include "disk.h"
#include "hist.h"

struct biolatency_conf {
	bool queued; /* -Q */
	bool ms;     /* -m */
	bool by_disk, by_flags;
	struct bcc_disk disk;
	u32 flags; /* of request.cmd_flags: those that are told apart */
};

struct biolatency_key {
	char disk[32];
	u32 flags;
};

struct biolatency_row {
	struct biolatency_key key;
	struct bcc_hist hist;
};

#endif
