/*
 * The settings every applet shares. The library fills them from -p, -t, -u, -n,
 * --cgroup and --container; bpf/lib/bcctool.bpf.h tests them in the kernel, where
 * they are constants that the verifier prunes by. Zero means "any".
 */
#ifndef FILTER_H
#define FILTER_H

#include "types.h"

#define FILTER_IDS 32

struct bcc_ids {
	u32 n;
	u32 id[FILTER_IDS];
};

struct bcc_filter {
	struct bcc_ids pids; /* what users call processes: thread group ids in the kernel */
	struct bcc_ids tids;
	u32 uid_plus_1; /* 0 is a real uid */
	u32 ppid;
	u64 cgroup;       /* id of this cgroup: it and everything below it */
	u32 cgroup_level; /* its depth below the root; ~0 if that is not known */
	u32 pidns;        /* inode of the caller's pid namespace, if not the initial one */
	u32 comm_len;
	char comm[COMM_LEN]; /* a substring of the thread's name */
	bool particular;  /* is there any wish about tasks? (One question where there is none.) */
	bool perf_buffer; /* no ring buffer in this kernel */
	bool cgroupmap;   /* pinned maps were named */
	bool mntnsmap;
};

#endif
