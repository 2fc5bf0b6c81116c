#ifndef FILELIFE_H
#define FILELIFE_H

#include "path.h"
#include "task.h"

struct filelife_conf {
	bool full_path; /* -F */
};

struct filelife_event {
	struct bcc_task task; /* who deleted it, and when */
	u64 age_ns;
	struct bcc_path path;
};

#endif
