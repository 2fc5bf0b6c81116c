/* memleak: what was allocated and is not freed. */
#ifndef MEMLEAK_H
#define MEMLEAK_H

#include "stack.h"
#include "task.h"

#define MEMLEAK_SITES 64 /* a power of two */

/* What happens where a probe fires, and where it finds address and size. */
enum memleak_kind {
	LEAK_NOTHING,
	LEAK_MALLOC,   /* size */
	LEAK_CALLOC,   /* n, size */
	LEAK_ALIGNED,  /* alignment, size */
	LEAK_POSIX,    /* where to, alignment, size */
	LEAK_REALLOC,  /* address, size */
	LEAK_ARRAY,    /* address, n, size */
	LEAK_MMAP,     /* address, size */
	LEAK_MREMAP,   /* address, old size, size */
	LEAK_FREE,     /* address; munmap, too */
	LEAK_RETURNED, /* the call that the thread is in */
	LEAK_KMALLOC,  /* tracepoints: kmalloc, kmem_cache_alloc */
	LEAK_PAGES,
	LEAK_PAGES_FREE,
	LEAK_PERCPU,
};

struct memleak_conf {
	u8 kind[MEMLEAK_SITES]; /* by the number of a site */
	u64 min_size, max_size;
	u64 page;   /* bytes */
	u64 sample; /* every so manieth allocation; 0 and 1: all */
	bool user;
	bool combined; /* sum up in the kernel */
	bool trace;    /* events instead */
};

struct memleak_address {
	u64 addr; /* of pages, their number */
	u32 pid;  /* 0: the kernel's */
	u32 kind; /* of address: pages and memory that each CPU has are numbered by themselves */
};

struct memleak_key {
	u64 kernel, user;
	u32 pid, unused;
};

struct memleak_alloc {
	struct memleak_key key;
	u64 size, time;
};

struct memleak_value {
	u64 bytes, count;
};

struct memleak_row {
	struct memleak_key key;
	struct memleak_value value;
};

/* With -t. */
struct memleak_event {
	struct bcc_task task;
	u64 addr, size;
	u32 call, unused; /* 0: allocated, 1: freed */
};

#endif
