#ifndef GETHOSTLATENCY_H
#define GETHOSTLATENCY_H

#include "task.h"

#define GETHOST_NAME 256 /* a DNS name has 253 characters at most */

struct gethostlatency_event {
	struct bcc_task task; /* its time is that of the return */
	u64 lat_ns;
	u32 func, unused;
	char host[GETHOST_NAME];
};

#endif
