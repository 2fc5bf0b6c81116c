/* Calls of the VFS's functions, counted on entry. */
#include "bcctool.bpf.h"
#include "vfsstat.h"

STATS(VFS_CALLS);

#define COUNT(function, call)                                                                      \
	static __always_inline int count_##function(void)                                          \
	{                                                                                          \
		if (wanted())                                                                      \
			stat_add(call, 1);                                                         \
		return 0;                                                                          \
	}                                                                                          \
	SEC("fentry/vfs_" #function)                                                               \
	int BPF_PROG(on_##function)                                                                \
	{                                                                                          \
		return count_##function();                                                         \
	}                                                                                          \
	SEC("kprobe/vfs_" #function)                                                               \
	int probe_##function(void *ctx)                                                            \
	{                                                                                          \
		return count_##function();                                                         \
	}

COUNT(read, VFS_READ)
COUNT(write, VFS_WRITE)
COUNT(fsync_range, VFS_FSYNC)
COUNT(open, VFS_OPEN)
COUNT(create, VFS_CREATE)
COUNT(unlink, VFS_UNLINK)
COUNT(mkdir, VFS_MKDIR)
COUNT(rmdir, VFS_RMDIR)
