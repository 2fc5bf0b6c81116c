#ifndef DCSNOOP_H
#define DCSNOOP_H

#include "path.h"
#include "task.h"

enum dcsnoop_type { DC_MISSED, DC_REFERRED };

struct dcsnoop_event {
	struct bcc_task task;
	u32 type; /* enum dcsnoop_type */
	u32 len;  /* of the name, with its NUL */
	char file[PATH_NAME];
};

#endif
