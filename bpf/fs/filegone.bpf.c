/* Names that go: by unlink(2), rmdir(2) and rename(2), once they have succeeded. */
#include "bcctool.bpf.h"
#include "gone.bpf.h"
#include "filegone.h"

#define S_IFMT  0170000
#define S_IFDIR 0040000

/* By what goes: on overlayfs such calls nest. */
struct leaving {
	struct dentry *to; /* of a rename */
	char file[PATH_NAME];
};

HASH(leaves, u64, struct leaving, 1024);
PERCPU(scratch, struct leaving);
PERCPU(event, struct filegone_event);
EVENTS;

static __always_inline void name_of(char name[PATH_NAME], struct dentry *dentry)
{
	bpf_probe_read_kernel_str(name, PATH_NAME, BPF_CORE_READ(dentry, d_name.name));
}

static __always_inline bool is_folder(struct dentry *dentry)
{
	return (BPF_CORE_READ(dentry, d_inode, i_mode) & S_IFMT) == S_IFDIR;
}

/* A rename gives the dentry its new name. */
static __always_inline int goes(struct dentry *dentry, struct dentry *to)
{
	struct leaving *l = scratch_here();
	u64 key = (u64)dentry;

	if (!l || !wanted())
		return 0;
	l->to = to;
	name_of(l->file, dentry);
	begin_call(&leaves, &key, l);
	return 0;
}

static __always_inline int gone(void *ctx, struct dentry *dentry, bool folder, int ret)
{
	u64 key = (u64)dentry;
	struct leaving *l = bpf_map_lookup_elem(&leaves, &key);
	struct filegone_event *e = event_here();

	if (!l || !e)
		return 0;
	if (!ret) {
		__builtin_memset(e, 0, sizeof(*e));
		task_now(&e->task);
		e->action = l->to ? FILE_RENAME : FILE_DELETE;
		e->folder = l->to ? is_folder(dentry) : folder;
		bpf_probe_read_kernel_str(e->file, sizeof(e->file), l->file);
		if (l->to)
			name_of(e->new_name, l->to);
		emit(ctx, e, sizeof(*e));
	}
	bpf_map_delete_elem(&leaves, &key);
	return 0;
}

GOES(unlink, "vfs_unlink", false, 4)
GOES(rmdir, "vfs_rmdir", true, 3)

/* (renamedata), before 5.12 (old_dir, old_dentry, new_dir, new_dentry, ...) */
static __always_inline int renames(u64 first, u64 second, u64 fourth)
{
	struct renamedata *data = (void *)first;

	return IDMAPPED ? goes(BPF_CORE_READ(data, old_dentry), BPF_CORE_READ(data, new_dentry))
			: goes((void *)second, (void *)fourth);
}

SEC("fentry/vfs_rename")
int rename(u64 *ctx)
{
	return IDMAPPED ? renames(argument(ctx, 0), 0, 0)
			: renames(0, argument(ctx, 1), argument(ctx, 3));
}

SEC("fexit/vfs_rename")
int rename_done(u64 *ctx)
{
	struct renamedata *data = (void *)argument(ctx, 0);

	return IDMAPPED ? gone(ctx, BPF_CORE_READ(data, old_dentry), false, argument(ctx, 1))
			: gone(ctx, (void *)argument(ctx, 1), false, argument(ctx, 6));
}

SEC("kprobe/vfs_rename")
int rename_probe(struct pt_regs *ctx)
{
	struct renamedata *data = (void *)PT_REGS_PARM1(ctx);
	struct dentry *dentry =
		IDMAPPED ? BPF_CORE_READ(data, old_dentry) : (void *)PT_REGS_PARM2(ctx);
	u32 tid = current_tid();

	begin(&gone_calls, &tid, &dentry);
	return renames(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM4(ctx));
}

SEC("kretprobe/vfs_rename")
int rename_probe_done(struct pt_regs *ctx)
{
	return gone_probe_done(ctx, false, PT_REGS_RC(ctx));
}
