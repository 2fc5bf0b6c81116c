#ifndef EXECSNOOP_H
#define EXECSNOOP_H

#include "task.h"

#define EXEC_PATH      8192  /* PATH_MAX, and as much again for strings that are shorter */
#define EXEC_PIECE     16384 /* a power of two */
#define EXEC_PIECES    400   /* of the 6 MB that the kernel takes at most */
#define PIECES_UNKNOWN (u32) - 1

struct execsnoop_conf {
	bool fails;   /* -x */
	u32 max_args; /* 0: no limit */
	bool loop;    /* bpf_loop() is there: 5.17+ */
};

struct execsnoop_head {
	struct bcc_task task;
	u32 ppid;
	s32 ret;
	u32 cpu;
	s32 dfd; /* what a relative name is relative to; negative: the working directory */
	u32 key; /* thread in the kernel: pieces are joined by it */

	/*
	 * What does not fit into one event goes ahead of it in pieces: events whose text alone
	 * counts, and in which this is their number, from 0. In the event itself: how many there
	 * were.
	 */
	u32 pieces;
	u32 args; /* of failed calls: how many were read */
	u32 len;  /* bytes of text */
	bool piece;
	bool more;   /* there are more arguments than --max-args */
	bool cut;    /* not all of the text could be read or sent */
	bool script; /* run by an interpreter, whose name and option are before the script's name */
	char pcomm[COMM_LEN];
	u32 unused;
};

/* The file's name and then the arguments, from the 0th on, each ended by NUL. */
struct execsnoop_event {
	struct execsnoop_head head;
	char text[EXEC_PATH + EXEC_PIECE];
};

#endif
