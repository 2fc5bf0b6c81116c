#ifndef FUTEXCTN_H
#define FUTEXCTN_H

#include "hist.h"
#include "stack.h"

struct futexctn_conf {
	u64 lock; /* its address; 0: all */
	bool ms, summary;
};

struct futexctn_key {
	u64 lock, user;
	u32 pid, tid;
	char comm[COMM_LEN];
};

struct futexctn_value {
	struct bcc_hist hist;
	u64 total_ns, max_ns, min_ns; /* of the waits in it */
};

struct futexctn_row {
	struct futexctn_key key;
	struct futexctn_value value;
};

#endif
