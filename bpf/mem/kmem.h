/* kmem and kpages: what the kernel allocates, by its stack. */
#ifndef KMEM_H
#define KMEM_H

#include "stack.h"

struct kmem_key {
	u64 kernel;
	char comm[COMM_LEN];
};

struct kmem_value {
	union {
		u64 bytes; /* kmem */
		u64 pages; /* kpages */
	};
	u64 count, average;
};

struct kmem_row {
	struct kmem_key key;
	struct kmem_value value;
};

#endif
