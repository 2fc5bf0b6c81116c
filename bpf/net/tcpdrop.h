#ifndef TCPDROP_H
#define TCPDROP_H

#include "flow.h"
#include "stack.h"
#include "task.h"

struct tcpdrop_conf {
	bool ipv4, ipv6; /* these only */
	u32 netns;       /* inode; 0: any */
	bool rx_sk;      /* the tracepoint has it: 6.11+ */
	u32 unspecified; /* reasons from here down are none: in this kernel's numbers */
};

struct tcpdrop_event {
	struct bcc_task task; /* who was on the CPU */
	u8 saddr[16] __attribute__((aligned(4))), daddr[16];
	u16 sport, dport;
	u8 ip;    /* 4 or 6 */
	u8 state; /* TCP_* of the socket; 0: none known */
	u8 flags; /* of the header */
	u8 unused;
	u32 reason;
	u32 netns;
	struct bcc_stack stack;
};

#endif
