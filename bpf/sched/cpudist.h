#ifndef CPUDIST_H
#define CPUDIST_H

#include "hist.h"

struct cpudist_conf {
	bool off_cpu; /* -O */
	bool by_pid, by_tid;
	bool ms;
	bool idle; /* -I */
};

struct cpudist_key {
	u32 pid, tid;
	u32 idle_cpu_plus_1; /* idle threads all have the id 0 */
};

struct cpudist_value {
	struct bcc_hist hist;
	u64 total_ns;
	char comm[COMM_LEN];
};

struct cpudist_row {
	struct cpudist_key key;
	u32 unused;
	struct cpudist_value value;
};

#endif
