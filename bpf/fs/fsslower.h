#ifndef FSSLOWER_H
#define FSSLOWER_H

#include "fsop.h"
#include "path.h"
#include "task.h"

struct fsslower_conf {
	u64 min_ns;
	bool full_path;
	u32 commit_inode; /* where struct nfs_commit_data has it; 0 is unknown */
};

struct fsslower_event {
	struct bcc_task task; /* its time is that of the return */
	u64 lat_ns, offset;
	s64 bytes;
	u32 op, unused; /* enum fsop_kind */
	struct bcc_path path;
};

#endif
