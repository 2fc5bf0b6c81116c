/* File systems: the functions that do the operations of lib/fsop.h. */
#ifndef FILESYSTEM_H
#define FILESYSTEM_H

#include "object.h"

/* For the programs of bpf/lib/fsop.bpf.h. */
extern const struct stand_in btrfs_functions[], ext4_functions[], f2fs_functions[], nfs_functions[],
	xfs_functions[], zfs_functions[];

/* Those of the file system of that name, NULL if we know none. */
const struct stand_in *filesystem_functions(const char *name);

/* What filesystem_functions() takes, for messages. */
#define FILESYSTEMS "bcachefs, btrfs, ext4, f2fs, fuse, nfs, xfs, zfs"

#endif
