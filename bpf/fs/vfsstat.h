#ifndef VFSSTAT_H
#define VFSSTAT_H

#include "types.h"

enum vfsstat_call {
	VFS_READ,
	VFS_WRITE,
	VFS_FSYNC,
	VFS_OPEN,
	VFS_CREATE,
	VFS_UNLINK,
	VFS_MKDIR,
	VFS_RMDIR,
	VFS_CALLS,
};

#endif
