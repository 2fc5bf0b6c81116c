/*
 * Operations of a file system, or of the VFS, from entry to return. They nest (a write of O_SYNC is
 * an fsync too), so each kind has a time of its own.
 */
#ifndef FSOP_BPF_H
#define FSOP_BPF_H

#include "fsop.h"

struct fsop_key {
	u32 tid, kind;
};

struct fsop {
	u64 start;
	struct kiocb *iocb; /* of reads and writes of a file system */
	struct path *path;  /* of the file */
};

HASH(fsops, struct fsop_key, struct fsop, 10240);

/* Since 5.12 functions of inodes take the user ids of the mount as an argument before the others.
 */
#define IDMAPPED bpf_core_type_exists(struct renamedata)

static __always_inline int fsop_begin(u32 kind, struct kiocb *iocb, struct path *path)
{
	struct fsop_key key = { current_tid(), kind };
	struct fsop op = { bpf_ktime_get_ns(), iocb, path };

	begin_call(&fsops, &key, &op);
	return 0;
}

/* What began, and how long ago; false if nothing did. */
static __always_inline bool fsop_end(u32 kind, struct fsop *op, u64 *ns)
{
	struct fsop_key key = { current_tid(), kind };
	struct fsop *begun = bpf_map_lookup_elem(&fsops, &key);

	if (!begun)
		return false;
	*op = *begun;
	bpf_map_delete_elem(&fsops, &key);
	return elapsed(op->start, ns);
}

/* The arguments: read, write (kiocb, ...), open (inode, file), fsync (file, ...), getattr (path) */
static __always_inline int fsop_enter(u32 kind, u64 first, u64 second)
{
	struct kiocb *iocb = NULL;
	struct path *path = NULL;
	struct file *file = NULL;

	if (!wanted())
		return 0;
	if (kind == FSOP_READ || kind == FSOP_WRITE) {
		iocb = (void *)first;
		file = BPF_CORE_READ(iocb, ki_filp);
	} else if (kind == FSOP_OPEN) {
		file = (void *)second;
	} else if (kind == FSOP_FSYNC) {
		file = (void *)first;
	} else {
		path = (void *)(IDMAPPED ? second : first);
	}
	return fsop_begin(kind, iocb, file ? &file->f_path : path);
}

/* vfs_read(file, ...), vfs_write(file, ...) */
static __always_inline int fsop_vfs_enter(u32 kind, u64 first, u64 second)
{
	struct file *file = (void *)first;

	return wanted() ? fsop_begin(kind, NULL, &file->f_path) : 0;
}

/*
 * FSOPS(story): the programs NAME and NAME_done, NAME_probe and NAME_probe_done for read, write,
 * open, open_too, fsync and getattr of the stand-ins of lib/filesystem.h. On return they evaluate
 * story(ctx, kind, const struct fsop *, s64 result, u64 ns); results are those of reads and writes,
 * 0 of the others. FSOPS_VFS(story): read and write of the VFS.
 */
#define FSOPS(story)                                                                               \
	FSOP(story, read, "fs_read", FSOP_READ, fsop_enter, argument(ctx, 2), PT_REGS_RC(ctx))     \
	FSOP(story, write, "fs_write", FSOP_WRITE, fsop_enter, argument(ctx, 2), PT_REGS_RC(ctx))  \
	FSOP(story, open, "fs_open", FSOP_OPEN, fsop_enter, 0, 0)                                  \
	FSOP(story, open_too, "fs_open_too", FSOP_OPEN, fsop_enter, 0, 0)                          \
	FSOP(story, fsync, "fs_fsync", FSOP_FSYNC, fsop_enter, 0, 0)                               \
	FSOP(story, getattr, "fs_getattr", FSOP_GETATTR, fsop_enter, 0, 0)

#define FSOPS_VFS(story)                                                                           \
	FSOP(story, read, "vfs_read", FSOP_READ, fsop_vfs_enter, argument(ctx, 4),                 \
	     PT_REGS_RC(ctx))                                                                      \
	FSOP(story, write, "vfs_write", FSOP_WRITE, fsop_vfs_enter, argument(ctx, 4),              \
	     PT_REGS_RC(ctx))

#define FSOP(story, name, function, kind, enter, result, probe_result)                             \
	SEC("?fentry/" function) int name(u64 *ctx)                                                \
	{                                                                                          \
		return enter(kind, argument(ctx, 0), argument(ctx, 1));                            \
	}                                                                                          \
	SEC("?fexit/" function) int name##_done(u64 *ctx)                                          \
	{                                                                                          \
		struct fsop op;                                                                    \
		u64 ns;                                                                            \
                                                                                                   \
		return fsop_end(kind, &op, &ns) ? story(ctx, kind, &op, result, ns) : 0;           \
	}                                                                                          \
	SEC("?kprobe/" function) int name##_probe(struct pt_regs *ctx)                             \
	{                                                                                          \
		return enter(kind, PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx));                        \
	}                                                                                          \
	SEC("?kretprobe/" function) int name##_probe_done(struct pt_regs *ctx)                     \
	{                                                                                          \
		struct fsop op;                                                                    \
		u64 ns;                                                                            \
                                                                                                   \
		return fsop_end(kind, &op, &ns) ? story(ctx, kind, &op, probe_result, ns) : 0;     \
	}

#define S_IFMT   0170000
#define S_IFDIR  0040000
#define S_IFREG  0100000
#define S_IFSOCK 0140000

/* S_IFREG and so on. */
static __always_inline u32 path_type(const struct path *path)
{
	return BPF_CORE_READ(path, dentry, d_inode, i_mode) & S_IFMT;
}

#endif
