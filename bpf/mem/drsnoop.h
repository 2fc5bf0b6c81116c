#ifndef DRSNOOP_H
#define DRSNOOP_H

#include "task.h"

struct drsnoop_conf {
	u64 free_pages; /* address of the counters that have NR_FREE_PAGES among them; 0: not wanted
			 */
};

struct drsnoop_event {
	struct bcc_task task; /* its time is that of the end */
	u64 lat_ns, pages, free_pages;
};

#endif
