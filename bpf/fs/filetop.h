#ifndef FILETOP_H
#define FILETOP_H

#include "path.h"
#include "task.h"

enum filetop_type { FILETOP_REGULAR, FILETOP_SOCKET, FILETOP_OTHER };

struct filetop_conf {
	bool all;                 /* -a: not regular files alone */
	bool no_reads, no_writes; /* --write-only, --read-only */
	bool in_folder;           /* -d */
	u64 folder;               /* its inode number */
	u32 folder_dev;           /* as the kernel has it, or 0: any */
};

struct filetop_key {
	u64 name; /* where the kernel has it: it tells links apart */
	u64 inode;
	u32 dev, rdev; /* as the kernel has them */
	u32 pid, tid;
};

struct filetop_value {
	u64 reads, writes, read_bytes, write_bytes;
	u32 type; /* enum filetop_type */
	char comm[COMM_LEN];
	char file[PATH_NAME];
	u32 unused;
};

struct filetop_row {
	struct filetop_key key;
	struct filetop_value value;
};

#endif
