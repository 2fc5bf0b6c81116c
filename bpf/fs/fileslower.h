#ifndef FILESLOWER_H
#define FILESLOWER_H

#include "fsop.h"
#include "path.h"
#include "task.h"

struct fileslower_conf {
	u64 min_ns;
	bool all_files; /* -a: not only regular ones */
	bool full_path;
};

struct fileslower_event {
	struct bcc_task task; /* its time is that of the return */
	u64 lat_ns;
	s64 bytes;
	u32 op, unused; /* FSOP_READ, FSOP_WRITE */
	struct bcc_path path;
};

#endif
