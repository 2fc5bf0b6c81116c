#ifndef TCPACCEPT_H
#define TCPACCEPT_H

#include "flow.h"
#include "task.h"

struct tcpaccept_conf {
	struct flow_filter flow;
};

struct tcpaccept_event {
	struct bcc_task task;
	struct bcc_flow flow;
	u8 ip; /* 4 or 6 */
	u8 unused[3];
};

#endif
