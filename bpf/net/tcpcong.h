#ifndef TCPCONG_H
#define TCPCONG_H

#include "flow.h"
#include "hist.h"

/* enum tcp_ca_state of linux/tcp.h. */
enum { CONG_OPEN, CONG_DISORDER, CONG_CWR, CONG_RECOVERY, CONG_LOSS, CONG_STATES };

struct tcpcong_conf {
	u16 lport[2], rport[2]; /* from, to */
	bool dist, us;          /* -d, -u */
};

struct tcpcong_value {
	u64 open_ns, disorder_ns, cwr_ns, recovery_ns, loss_ns; /* in the order of the states */
	u64 changes;
};

struct tcpcong_row {
	struct bcc_flow flow;
	struct tcpcong_value value;
};

struct tcpcong_hist {
	u32 state;
	struct bcc_hist hist;
};

#endif
