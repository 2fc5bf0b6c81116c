#ifndef TCPRTT_H
#define TCPRTT_H

#include "flow.h"
#include "hist.h"

struct tcprtt_conf {
	struct flow_filter flow;
	u8 laddr[16] __attribute__((aligned(4))), raddr[16]; /* all zero: any */
	bool by_laddr, by_raddr;
	bool particular; /* are addresses or ports asked for? */
	bool ms;
};

struct tcprtt_key {
	u8 addr[16] __attribute__((aligned(4)));
};

struct tcprtt_row {
	struct tcprtt_key key;
	struct bcc_hist hist;
};

#endif
