#include <string.h>

#include "filesystem.h"
#include "util.h"

const struct stand_in btrfs_functions[] = {
	{ "fs_read", "btrfs_file_read_iter" }, { "fs_write", "btrfs_file_write_iter" },
	{ "fs_open", "btrfs_file_open" },      { "fs_fsync", "btrfs_sync_file" },
	{ "fs_getattr", "btrfs_getattr" },     { 0 },
};

const struct stand_in ext4_functions[] = {
	{ "fs_read", "ext4_file_read_iter" },  { "fs_write", "ext4_file_write_iter" },
	{ "fs_open", "ext4_file_open" },       { "fs_fsync", "ext4_sync_file" },
	{ "fs_getattr", "ext4_file_getattr" }, { 0 },
};

const struct stand_in f2fs_functions[] = {
	{ "fs_read", "f2fs_file_read_iter" }, { "fs_write", "f2fs_file_write_iter" },
	{ "fs_open", "f2fs_file_open" },      { "fs_fsync", "f2fs_sync_file" },
	{ "fs_getattr", "f2fs_getattr" },     { 0 },
};

/* Version 4 has an open of its own, in a module of its own. */
const struct stand_in nfs_functions[] = {
	{ "fs_read", "nfs_file_read" },
	{ "fs_write", "nfs_file_write" },
	{ "fs_open", "nfs_file_open" },
	{ "fs_open_too", "nfs4_file_open" },
	{ "fs_fsync", "nfs_file_fsync" },
	{ "fs_getattr", "nfs_getattr" },
	{ 0 },
};

const struct stand_in xfs_functions[] = {
	{ "fs_read", "xfs_file_read_iter" }, { "fs_write", "xfs_file_write_iter" },
	{ "fs_open", "xfs_file_open" },      { "fs_fsync", "xfs_file_fsync" },
	{ "fs_getattr", "xfs_vn_getattr" },  { 0 },
};

/* OpenZFS; the second names are of old kernels. */
const struct stand_in zfs_functions[] = {
	{ "fs_read", "zpl_iter_read" },   { "fs_read", "zpl_aio_read" },
	{ "fs_write", "zpl_iter_write" }, { "fs_write", "zpl_aio_write" },
	{ "fs_open", "zpl_open" },        { "fs_fsync", "zpl_fsync" },
	{ "fs_getattr", "zpl_getattr" },  { 0 },
};

static const struct stand_in bcachefs_functions[] = {
	{ "fs_read", "bch2_read_iter" },  { "fs_write", "bch2_write_iter" },
	{ "fs_open", "bch2_open" },       { "fs_fsync", "bch2_fsync" },
	{ "fs_getattr", "bch2_getattr" }, { 0 },
};

static const struct stand_in fuse_functions[] = {
	{ "fs_read", "fuse_file_read_iter" }, { "fs_write", "fuse_file_write_iter" },
	{ "fs_open", "fuse_open" },           { "fs_fsync", "fuse_fsync" },
	{ "fs_getattr", "fuse_getattr" },     { 0 },
};

const struct stand_in *filesystem_functions(const char *name)
{
	static const struct {
		const char *name;
		const struct stand_in *functions;
	} known[] = {
		{ "bcachefs", bcachefs_functions }, { "btrfs", btrfs_functions },
		{ "ext4", ext4_functions },         { "f2fs", f2fs_functions },
		{ "fuse", fuse_functions },         { "nfs", nfs_functions },
		{ "xfs", xfs_functions },           { "zfs", zfs_functions },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].name, name))
			return known[i].functions;
	return NULL;
}
