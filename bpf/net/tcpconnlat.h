#ifndef TCPCONNLAT_H
#define TCPCONNLAT_H

#include "flow.h"
#include "task.h"

struct tcpconnlat_conf {
	struct flow_filter flow;
	u64 min_ns;
};

struct tcpconnlat_event {
	struct bcc_task task; /* who connects; its time is that of the answer */
	struct bcc_flow flow;
	u8 ip; /* 4 or 6 */
	u8 unused[3];
	u64 lat_ns;
};

#endif
