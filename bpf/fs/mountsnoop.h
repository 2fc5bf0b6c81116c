#ifndef MOUNTSNOOP_H
#define MOUNTSNOOP_H

#include "task.h"

#define MOUNT_TEXT 4096 /* PATH_MAX, and the most that mount(2) takes as data */

enum mount_call { MOUNT, UMOUNT, FSOPEN, FSCONFIG, FSMOUNT, MOVE_MOUNT };

struct mountsnoop_event {
	struct bcc_task task;
	u32 ppid;
	char pcomm[COMM_LEN];
	u32 mnt_ns; /* inode */
	u32 call;   /* enum mount_call */
	s32 ret;
	u64 flags;               /* of fsmount: flags */
	u64 attr_flags;          /* of fsmount */
	s32 fd, to_fd;           /* of fsconfig, fsmount, move_mount */
	u32 command;             /* of fsconfig */
	s32 aux;                 /* of fsconfig */
	char source[MOUNT_TEXT]; /* of move_mount: the path from; of fsconfig: the key */
	char target[MOUNT_TEXT]; /* of move_mount: the path to */
	char type[256];          /* of mount and fsopen */
	char data[MOUNT_TEXT];   /* of mount; of fsconfig: the value */
};

#endif
