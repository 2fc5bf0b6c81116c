#ifndef SOLISTEN_H
#define SOLISTEN_H

#include "flow.h"
#include "task.h"

struct solisten_conf {
	u32 netns; /* inode; 0: any */
};

struct solisten_event {
	struct bcc_task task;
	struct bcc_flow flow; /* the local end */
	u32 ip;               /* 4 or 6: of the socket */
	s32 backlog, ret;
	u32 netns;
	u32 unused;
};

#endif
