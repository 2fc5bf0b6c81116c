/*
 * A file's life is from its creation to the deletion of its last name. Files are told apart by
 * inode number and file system; a dentry may serve another name before that.
 */
#include "bcctool.bpf.h"
#include "fsop.bpf.h"
#include "path.bpf.h"
#include "filelife.h"

#define FMODE_CREATED 0x100000 /* include/linux/fs.h, 4.19+ */

struct file_id {
	u64 inode;
	u32 dev, unused;
};

const volatile struct filelife_conf conf;
HASH(births, struct file_id, u64, 65536);
HASH(deletions, u64, struct inode *, 10240); /* by dentry: on overlayfs they nest */
HASH(creations, u32, struct dentry *, 10240);
PERCPU(scratch, struct filelife_event);
EVENTS;

static __always_inline struct file_id id_of(struct inode *inode)
{
	return (struct file_id){
		BPF_CORE_READ(inode, i_ino),
		BPF_CORE_READ(inode, i_sb, s_dev),
	};
}

static __always_inline int born(struct inode *inode)
{
	struct file_id id = id_of(inode);
	u64 now = bpf_ktime_get_ns();

	begin(&births, &id, &now);
	return 0;
}

static __always_inline int opened(struct file *file)
{
	return BPF_CORE_READ(file, f_mode) & FMODE_CREATED ? born(BPF_CORE_READ(file, f_inode)) : 0;
}

static __always_inline int made(struct dentry *dentry, int ret)
{
	return ret ? 0 : born(BPF_CORE_READ(dentry, d_inode));
}

/* The dentry loses its inode. */
static __always_inline int deleting(struct dentry *dentry)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct file_id id = id_of(inode);
	u64 key = (u64)dentry;

	if (bpf_map_lookup_elem(&births, &id))
		begin_call(&deletions, &key, &inode);
	return 0;
}

static __always_inline int died(void *ctx, struct dentry *dentry, struct file_id id)
{
	u64 *birth = bpf_map_lookup_elem(&births, &id), age;
	struct filelife_event *e = scratch_here();
	struct path path = path_of_dentry(dentry);

	if (!birth || !e)
		return 0;
	age = *birth;
	bpf_map_delete_elem(&births, &id);
	if (!wanted() || !elapsed(age, &e->age_ns))
		return 0;
	task_now(&e->task);
	path_names(&e->path, &path, conf.full_path);
	if (e->path.len <= sizeof(e->path.file))
		emit(ctx, e, PATH_EVENT_SIZE(*e));
	return 0;
}

static __always_inline int deleted(void *ctx, struct dentry *dentry, int ret)
{
	u64 key = (u64)dentry;
	struct inode **inode = bpf_map_lookup_elem(&deletions, &key), *of;

	if (!inode)
		return 0;
	of = *inode;
	bpf_map_delete_elem(&deletions, &key);
	return ret || BPF_CORE_READ(of, i_nlink) ? 0 : died(ctx, dentry, id_of(of));
}

SEC("fentry/security_file_open")
int BPF_PROG(open, struct file *file)
{
	return opened(file);
}

SEC("kprobe/security_file_open")
int BPF_KPROBE(open_probe, struct file *file)
{
	return opened(file);
}

SEC("kprobe/vfs_open")
int BPF_KPROBE(vfs_open_probe, struct path *path, struct file *file)
{
	return BPF_CORE_READ(file, f_mode) & FMODE_CREATED
		       ? born(BPF_CORE_READ(path, dentry, d_inode))
		       : 0;
}

/* (idmap, dir, dentry, mode, excl) */
SEC("fexit/vfs_create")
int create_done(u64 *ctx)
{
	return IDMAPPED ? made((void *)argument(ctx, 2), argument(ctx, 5))
			: made((void *)argument(ctx, 1), argument(ctx, 4));
}

SEC("kprobe/vfs_create")
int create_probe(struct pt_regs *ctx)
{
	struct dentry *dentry = (void *)(IDMAPPED ? PT_REGS_PARM3(ctx) : PT_REGS_PARM2(ctx));
	u32 tid = current_tid();

	begin(&creations, &tid, &dentry);
	return 0;
}

SEC("kretprobe/vfs_create")
int create_probe_done(struct pt_regs *ctx)
{
	u32 tid = current_tid();
	struct dentry **dentry = bpf_map_lookup_elem(&creations, &tid);

	if (!dentry)
		return 0;
	made(*dentry, PT_REGS_RC(ctx));
	bpf_map_delete_elem(&creations, &tid);
	return 0;
}

/* (idmap, dir, dentry, delegated) */
SEC("fentry/vfs_unlink")
int unlink(u64 *ctx)
{
	return deleting((void *)(IDMAPPED ? argument(ctx, 2) : argument(ctx, 1)));
}

SEC("fexit/vfs_unlink")
int unlink_done(u64 *ctx)
{
	return IDMAPPED ? deleted(ctx, (void *)argument(ctx, 2), argument(ctx, 4))
			: deleted(ctx, (void *)argument(ctx, 1), argument(ctx, 3));
}

HASH(unlinks, u32, struct dentry *, 10240);

SEC("kprobe/vfs_unlink")
int unlink_probe(struct pt_regs *ctx)
{
	struct dentry *dentry = (void *)(IDMAPPED ? PT_REGS_PARM3(ctx) : PT_REGS_PARM2(ctx));
	u32 tid = current_tid();

	begin(&unlinks, &tid, &dentry);
	return deleting(dentry);
}

SEC("kretprobe/vfs_unlink")
int unlink_probe_done(struct pt_regs *ctx)
{
	u32 tid = current_tid();
	struct dentry **dentry = bpf_map_lookup_elem(&unlinks, &tid), *of;

	if (!dentry)
		return 0;
	of = *dentry;
	bpf_map_delete_elem(&unlinks, &tid);
	return deleted(ctx, of, PT_REGS_RC(ctx));
}
