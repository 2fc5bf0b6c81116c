#ifndef STATSNOOP_H
#define STATSNOOP_H

#include "path.h"
#include "task.h"

enum stat_call {
	STAT_STAT,
	STAT_LSTAT,
	STAT_FSTATAT,
	STAT_STATX,
	STAT_STATFS,
	STAT_STAT64,
	STAT_LSTAT64,
	STAT_FSTATAT64,
	STAT_STATFS64,
};

struct statsnoop_conf {
	bool failed;    /* -x */
	bool full_path; /* -F */
};

struct statsnoop_event {
	struct bcc_task task;
	s32 fd;   /* 0, or -1 if it failed */
	u32 err;  /* errno, or 0 */
	u32 call; /* enum stat_call */
	u32 unused;
	struct bcc_path path;
};

#endif
