#ifndef FAULTS_H
#define FAULTS_H

#include "stack.h"

struct faults_conf {
	u64 period;
};

struct faults_key {
	u64 user;
	u32 pid;
	char comm[COMM_LEN];
	u32 unused;
};

struct faults_row {
	struct faults_key key;
	u64 count;
};

#endif
