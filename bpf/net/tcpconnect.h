#ifndef TCPCONNECT_H
#define TCPCONNECT_H

#include "filter.h"
#include "flow.h"
#include "task.h"

#define DNS_PACKET_MAX 512 /* of an answer, what is looked at */

struct tcpconnect_conf {
	bool count;           /* -c */
	bool lport;           /* -L */
	bool ipv4, ipv6;      /* -4, -6: these only */
	bool dns;             /* -d */
	bool nonblock_arg;    /* udp_recvmsg() has `nonblock` before `flags`: before 5.19 */
	struct bcc_ids ports; /* -P */
};

/* With -d, answers of name servers come between the connects. */
struct tcpconnect_event {
	struct bcc_task task;
	struct bcc_flow flow;
	u8 ip; /* 4 or 6; 0: a struct tcpconnect_dns */
	u8 unused[3];
};

struct tcpconnect_dns {
	struct bcc_task task;
	struct bcc_flow flow; /* not filled in */
	u8 ip;                /* 0 */
	u8 unused[3];
	u8 packet[DNS_PACKET_MAX];
};

struct tcpconnect_key {
	struct bcc_flow flow; /* without -L its lport is 0 */
};

struct tcpconnect_row {
	struct tcpconnect_key key;
	u64 connects;
};

#endif
