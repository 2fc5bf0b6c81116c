#ifndef TCPLIFE_H
#define TCPLIFE_H

#include "flow.h"
#include "task.h"

struct tcplife_conf {
	struct flow_filter flow;
};

struct tcplife_event {
	struct bcc_task task; /* whose connection it is; its time is that of the end */
	struct bcc_flow flow;
	u8 ip; /* 4 or 6 */
	u8 unused[3];
	u64 tx_bytes, rx_bytes, span_ns;
};

#endif
