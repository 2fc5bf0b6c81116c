/* mlock and mheld: one program, for waiting and for holding. */
#ifndef MLOCK_H
#define MLOCK_H

#include "hist.h"
#include "stack.h"

struct mlock_conf {
	bool held; /* mheld */
};

struct mlock_key {
	u64 lock, kernel;
	char comm[COMM_LEN];
};

struct mlock_row {
	struct mlock_key key;
	struct bcc_hist hist;
};

#endif
