#ifndef TCPSTATES_H
#define TCPSTATES_H

#include "flow.h"
#include "task.h"

struct tcpstates_conf {
	struct flow_filter flow;
};

struct tcpstates_event {
	struct bcc_task task; /* who was on the CPU */
	struct bcc_flow flow;
	u8 ip; /* 4 or 6 */
	u8 unused[3];
	u32 oldstate, newstate;
	u64 skaddr, span_ns;
};

#endif
