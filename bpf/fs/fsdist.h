#ifndef FSDIST_H
#define FSDIST_H

#include "hist.h"

enum fsdist_op { FSDIST_read, FSDIST_write, FSDIST_open, FSDIST_fsync, FSDIST_getattr };

struct fsdist_conf {
	bool ms; /* -m */
};

struct fsdist_row {
	u32 operation, unused; /* enum fsdist_op */
	struct bcc_hist hist;
};

#endif
