#ifndef CACHESTAT_H
#define CACHESTAT_H

#include "types.h"

/* Pages of the page cache, by what became of them. */
enum pagecache {
	CACHE_USED,    /* read by a process, or mapped into it */
	CACHE_READ,    /* put there to be read from disk */
	CACHE_DIRTIED, /* written to, when they were clean */
	CACHE_WRITTEN, /* put there to be written to */
	CACHE_COUNTERS,
};

#endif
