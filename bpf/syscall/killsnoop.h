/* What killsnoop and sigsnoop share. */
#ifndef KILLSNOOP_H
#define KILLSNOOP_H

#include "task.h"

enum kill_call {
	KILL,
	TKILL,
	TGKILL,
	RT_SIGQUEUEINFO,
	RT_TGSIGQUEUEINFO,
	PIDFD_SEND_SIGNAL,
	NO_CALL
};

struct killsnoop_conf {
	bool failed;      /* -x */
	bool any_signals; /* -s */
	u32 tpid;         /* -T; 0 is any */
	bool signal_64;   /* SIGRTMAX is one of them */
	u64 signals;      /* the others, a bit each; 0: may one be sent? */
};

struct killsnoop_event {
	struct bcc_task task;
	s32 sig;
	s32 tpid; /* as passed: negative for process groups; of tkill(2), which has none, ttid */
	s32 ttid; /* of the calls for one thread */
	s32 result;
	u32 call; /* enum kill_call */
	s32 code; /* of generated signals: si_code (sigaction(2)), > 0 from the kernel */
	char tcomm[COMM_LEN]; /* of generated signals: the target's name */
};

#endif
