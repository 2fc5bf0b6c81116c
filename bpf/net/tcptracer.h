#ifndef TCPTRACER_H
#define TCPTRACER_H

#include "flow.h"
#include "task.h"

struct tcptracer_conf {
	struct flow_filter flow;
	u32 netns; /* inode; 0: any */
};

enum { TCPTRACER_CONNECT, TCPTRACER_ACCEPT, TCPTRACER_CLOSE };

struct tcptracer_event {
	struct bcc_task task;
	struct bcc_flow flow;
	u8 ip; /* 4 or 6 */
	u8 unused[3];
	u32 type; /* TCPTRACER_* */
	u32 netns;
};

#endif
