/* File systems: the functions that do the operations of lib/fsop.h. */
#ifndef FILESYSTEM_H
#define FILESYSTEM_H

#include "candidate.h"
#include "object.h"

/* For the programs of bpf/lib/fsop.bpf.h. */
extern const struct stand_in btrfs_functions[], ext4_functions[], f2fs_functions[], nfs_functions[],
	xfs_functions[], zfs_functions[];

/* Those of the file system of that name, NULL if we know none. */
const struct stand_in *filesystem_functions(const char *name);

/* What filesystem_functions() takes, for messages. */
#define FILESYSTEMS "bcachefs, btrfs, ext4, f2fs, fuse, nfs, xfs, zfs"

/* What the functions of NFS leave out, for .doc. */
#define NFS_OPENS                                                                                  \
	"\n\nVersion 4 opens a file that is new, or whose name is not in the directory cache, in " \
	"looking the name up: such an open is not seen."

/*
 * Rows of .probes for these programs: NAME and NAME_done, or NAME_probe and NAME_probe_done. The
 * functions are there once the file system is loaded; where it is a module, mounting does that.
 */
#define FILESYSTEM_PROBE(fs, op, ...)                                                              \
	{                                                                                          \
#op " of " fs " (is it loaded? mount one first)",                                  \
			{ "~" #op " " #op "_done", #op "_probe " #op "_probe_done" },              \
			  ##__VA_ARGS__                                                            \
	}
#define FILESYSTEM_PROBES(fs)                                                                      \
	FILESYSTEM_PROBE(fs, read), FILESYSTEM_PROBE(fs, write),                                   \
		{ "open of " fs,                                                                   \
		  { "~open open_done open_too? open_too_done?",                                    \
		    "open_probe open_probe_done open_too_probe? open_too_probe_done?" } },         \
		FILESYSTEM_PROBE(fs, fsync)

#endif
