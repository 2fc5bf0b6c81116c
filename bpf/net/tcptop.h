#ifndef TCPTOP_H
#define TCPTOP_H

#include "flow.h"

struct tcptop_conf {
	bool ipv4, ipv6;   /* -4, -6: these only */
	bool nonblock_arg; /* tcp_recvmsg() has `nonblock` before `flags`: before 5.19 */
};

struct tcptop_key {
	u32 pid;
	char comm[COMM_LEN];
	struct bcc_flow flow;
};

struct tcptop_value {
	u64 rx_bytes, tx_bytes;
};

struct tcptop_row {
	struct tcptop_key key;
	struct tcptop_value value;
};

#endif
