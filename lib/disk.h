/* A disk that the user names: -d sda. Block applets put it in their conf. */
#ifndef DISK_H
#define DISK_H

#include "types.h"

struct bcc_disk {
	bool set;
	u32 major, minor;
};

#ifndef __bpf__
/*
 * Operations of requests (enum req_op of include/linux/blk_types.h) by the letters that the
 * kernel's traces have for them (blk_fill_rwbs()), where those tell them apart.
 */
#define DISK_OPERATIONS 10
extern const char *const disk_operations[DISK_OPERATIONS];
#endif

/* For OPT_PARSED: the name in /sys/block, or a path of the device. */
int parse_disk(const char *arg, void *dst, char why[128]);

#define OPT_DISK(l, dst)                                                                           \
	OPT_PARSED(l, "disk", "DISK", parse_disk, dst, "trace this disk only, such as sda")

#endif
