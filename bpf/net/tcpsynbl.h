#ifndef TCPSYNBL_H
#define TCPSYNBL_H

#include "hist.h"

struct tcpsynbl_conf {
	bool ipv4, ipv6; /* these only */
};

struct tcpsynbl_row {
	u32 backlog_max;
	struct bcc_hist hist;
} __attribute__((packed));

#endif
