#ifndef OFFCPUTIME_H
#define OFFCPUTIME_H

#include "blocked.h"
#include "hist.h"
#include "stack.h"
#include "task.h"

struct offcputime_key {
	u64 kernel, user;
	u32 pid, tid;
	char comm[COMM_LEN];
};

struct offcputime_value {
	union {
		u64 ns; /* while it is summed */
		u64 us; /* when it is shown */
	};
	u64 count;
};

struct offcputime_row {
	struct offcputime_key key;
	struct offcputime_value off;
};

struct offcpuhist_row {
	struct offcputime_key key;
	struct bcc_hist hist;
};

/* What of the waker's is all 0: nobody woke the thread, it was preempted. */
struct offwaketime_key {
	u64 w_kernel, w_user, t_kernel, t_user;
	u32 w_pid, w_tid, t_pid, t_tid;
	char waker[COMM_LEN], target[COMM_LEN];
};

struct offwaketime_row {
	struct offwaketime_key key;
	struct offcputime_value off;
};

struct wakeuptime_key {
	u64 w_kernel;
	u32 w_pid, t_pid;
	char waker[COMM_LEN], target[COMM_LEN];
};

struct wakeuptime_row {
	struct wakeuptime_key key;
	struct offcputime_value off;
};

#endif
