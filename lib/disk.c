#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "disk.h"

const char *const disk_operations[DISK_OPERATIONS] = {
	[0] = "R", [1] = "W", [2] = "F", [3] = "D", [5] = "E", [9] = "Z",
};

/* A request carries its disk, not the partition: its sectors count from the disk's beginning. */
int parse_disk(const char *arg, void *dst, char why[128])
{
	struct bcc_disk *disk = dst;
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", *arg == '/' ? "" : "/dev/", arg);
	if (stat(path, &st) || !S_ISBLK(st.st_mode)) {
		FILE *f;
		int n;

		snprintf(path, sizeof(path), "/sys/class/block/%s/dev", arg);
		f = *arg && !strchr(arg, '/') && *arg != '.' ? fopen(path, "re") : NULL;
		n = f ? fscanf(f, "%u:%u", &disk->major, &disk->minor) : 0;
		if (f)
			fclose(f);
		if (n != 2) {
			snprintf(why, 128, "no such disk");
			return -EINVAL;
		}
	} else {
		disk->major = major(st.st_rdev);
		disk->minor = minor(st.st_rdev);
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", disk->major, disk->minor);
	if (!access(path, F_OK)) {
		snprintf(why, 128, "a partition, not a disk");
		return -EINVAL;
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/mq", disk->major, disk->minor);
	if (!access("/sys/dev/block", F_OK) && access(path, F_OK)) {
		snprintf(why, 128,
			 "passes its I/O on (its /sys/block/*/slaves): trace the disks below");
		return -EINVAL;
	}
	disk->set = true;
	return 0;
}
