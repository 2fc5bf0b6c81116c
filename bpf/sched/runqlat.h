#ifndef RUNQLAT_H
#define RUNQLAT_H

#include "hist.h"

struct runqlat_conf {
	bool by_pid, by_tid, by_pidns;
	bool ms;
};

struct runqlat_key {
	u32 pid, tid, pidns;
};

struct runqlat_row {
	struct runqlat_key key;
	struct bcc_hist hist;
};

#endif
