/* A disk that the user names: -d sda. Block applets put it in their conf. */
#ifndef DISK_H
#define DISK_H

#include "types.h"

struct bcc_disk {
	bool set;
	u32 major, minor;
};

/* For OPT_PARSED: the name in /sys/block, or a path of the device. */
int parse_disk(const char *arg, void *dst, char why[128]);

#define OPT_DISK(l, dst)                                                                           \
	OPT_PARSED(l, "disk", "DISK", parse_disk, dst, "trace this disk only, such as sda")

#endif
