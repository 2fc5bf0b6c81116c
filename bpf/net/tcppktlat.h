#ifndef TCPPKTLAT_H
#define TCPPKTLAT_H

#include "flow.h"
#include "task.h"

struct tcppktlat_conf {
	struct flow_filter flow;
	u64 min_ns;
};

struct tcppktlat_event {
	struct bcc_task task; /* who reads, and when */
	struct bcc_flow flow;
	u32 unused;
	u64 lat_ns;
};

#endif
