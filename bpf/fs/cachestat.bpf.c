/* The page cache of the machine, in four counters. */
#include "bcctool.bpf.h"
#include "cachestat.h"

STATS(CACHE_COUNTERS);

static __always_inline void count(enum pagecache what, u64 pages)
{
	stat_add(what, pages);
}

#include "pagecache.bpf.h"
