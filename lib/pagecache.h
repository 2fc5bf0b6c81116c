/* For cachestat and cachetop: what their programs need, and how large the page cache is. */
#ifndef PAGECACHE_H
#define PAGECACHE_H

#include "candidate.h"
#include "run.h"

struct pagecache_size {
	u64 buffers,
		cached; /* bytes: Buffers and Cached of /proc/meminfo; 0 if it cannot be read */
};

void pagecache_size(struct pagecache_size *size);

/* Before loading: how large a page is. */
void pagecache_prepare(struct run *run);

/* The programs of bpf/fs/pagecache.bpf.h. */
extern const struct probe pagecache_probes[];

#endif
