#ifndef TCPSUBNET_H
#define TCPSUBNET_H

#include "flow.h"

#define SUBNETS 64

struct tcpsubnet_net {
	u32 addr[4], mask[4]; /* as in a bcc_flow; bits outside the mask are 0 */
};

struct tcpsubnet_conf {
	u32 n;
	struct tcpsubnet_net net[SUBNETS];
};

struct tcpsubnet_row {
	u32 net;
	u64 bytes;
} __attribute__((packed));

#endif
