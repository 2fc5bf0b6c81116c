#ifndef FSDIST_H
#define FSDIST_H

#include "hist.h"

struct fsdist_conf {
	bool ms; /* -m */
};

struct fsdist_row {
	u32 operation, unused; /* enum fsop_kind */
	struct bcc_hist hist;
};

#endif
