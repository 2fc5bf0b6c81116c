#ifndef CPUFREQ_H
#define CPUFREQ_H

#include "hist.h"

#define CPUFREQ_STEP_MHZ 200 /* a slot */
#define CPUFREQ_CPUS     4096

struct cpufreq_key {
	u32 syswide; /* of all threads, and of idle CPUs: comm is empty */
	char comm[COMM_LEN];
};

struct cpufreq_row {
	struct cpufreq_key key;
	u32 unused;
	struct bcc_hist hist;
};

#endif
