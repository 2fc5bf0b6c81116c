#ifndef FILETOP_H
#define FILETOP_H

#include "path.h"
#include "types.h"

struct filetop_conf {
	bool all_files; /* -a: not only regular ones */
	u32 dev;        /* -d: of the folder; as in the kernel */
	u64 folder;     /* -d: its inode; 0 is any */
};

enum filetop_type { FILE_REGULAR, FILE_SOCKET, FILE_OTHER };

struct filetop_key {
	u64 inode;
	u32 dev, rdev; /* as in the kernel */
	u32 tid;
	u32 type; /* enum filetop_type */
};

struct filetop_value {
	u64 reads, writes;
	u64 read_bytes, write_bytes;
	u32 pid, unused;
	char comm[COMM_LEN];
	char file[PATH_NAME];
};

struct filetop_row {
	struct filetop_key key;
	struct filetop_value value;
};

#endif
