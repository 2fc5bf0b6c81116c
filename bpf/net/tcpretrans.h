#ifndef TCPRETRANS_H
#define TCPRETRANS_H

#include "flow.h"
#include "task.h"

struct tcpretrans_conf {
	struct flow_filter flow;
	bool count; /* -c */
};

enum { TCPRETRANS_AGAIN, TCPRETRANS_PROBE };

struct tcpretrans_event {
	struct bcc_task task; /* who was on the CPU */
	struct bcc_flow flow;
	u8 ip;    /* 4 or 6 */
	u8 type;  /* TCPRETRANS_* */
	u8 state; /* TCP_* */
	u8 unused;
	u32 seq;
	u32 segments; /* what the kernel's counter RetransSegs grows by */
};

struct tcpretrans_row {
	struct bcc_flow flow;
	u64 retransmits;
};

#endif
