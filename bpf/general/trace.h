#ifndef TRACE_H
#define TRACE_H

#include "stack.h"

/* Head of a record; the values of the probe's expressions follow, in place of stacks that are not
 * taken. */
struct trace_event {
	u64 faults; /* a bit for each value that could not be read */
	u64 time;   /* CLOCK_MONOTONIC, ns */
	u64 site;   /* its number, or the address of a kernel function */
	u32 probe, shape;
	u32 tid, pid, uid, cpu;
	char comm[COMM_LEN];
	struct bcc_stack kernel, user;
};

#endif
