#ifndef OPENSNOOP_H
#define OPENSNOOP_H

#include "task.h"

#define OPEN_PATH_MAX 4096 /* PATH_MAX, the NUL included */

struct opensnoop_conf {
	bool failed;    /* -x */
	bool full_path; /* -F */
	bool any_flags; /* -f: with one of `flags`, or an access mode that is a bit of `modes` */
	u32 flags, modes;
};

struct opensnoop_event {
	struct bcc_task task;
	int fd, err;
	u32 flags, mode;

	/*
	 * The name as it was passed. With -F, when it is relative, the names of the folders above
	 * it follow, each ended by NUL, the nearest first.
	 */
	u32 name_len;   /* with its NUL; 0: unreadable */
	bool truncated; /* more folders than could be followed */
	u8 unused[3];
	char path[2 * OPEN_PATH_MAX];
};

#endif
