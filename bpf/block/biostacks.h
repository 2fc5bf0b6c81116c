#ifndef BIOSTACKS_H
#define BIOSTACKS_H

#include "disk.h"
#include "hist.h"
#include "stack.h"

struct biostacks_conf {
	struct bcc_disk disk;
	bool ms;
};

struct biostacks_key {
	u64 kernel;
	u32 pid;
	char comm[COMM_LEN];
	char disk[32];
	u32 unused;
};

struct biostacks_row {
	struct biostacks_key key;
	struct bcc_hist hist;
};

#endif
