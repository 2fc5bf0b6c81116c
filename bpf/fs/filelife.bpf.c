/* From a file's creation to its deletion. */
#include "bcctool.bpf.h"
#include "gone.bpf.h"
#include "path.bpf.h"
#include "filelife.h"

#define FMODE_CREATED 0x100000
#define BIRTHS        32768

/* A file, also where its number or its memory is used again. */
struct identity {
	u64 ino;
	u32 dev, generation;
};

/* A deletion that has begun. By dentry: on overlayfs they nest. */
struct leaving {
	struct identity file;
	u64 born;
};

const volatile struct filelife_conf conf;
HASH(births, struct identity, u64, BIRTHS);
HASH(leaves, u64, struct leaving, 1024);
PERCPU(scratch, struct filelife_event);
EVENTS;

/* Births in their order: where there are too many, the eldest makes room, and is counted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BIRTHS / 2);
	__type(key, u32);
	__type(value, struct identity);
} order SEC(".maps");
u32 born;

static __always_inline struct identity identify(struct inode *inode)
{
	return (struct identity){
		.ino = BPF_CORE_READ(inode, i_ino),
		.dev = BPF_CORE_READ(inode, i_sb, s_dev),
		.generation = BPF_CORE_READ(inode, i_generation),
	};
}

static __always_inline int birth(struct inode *inode)
{
	u32 i = __sync_fetch_and_add(&born, 1) % (BIRTHS / 2);
	struct identity file = identify(inode), *eldest = bpf_map_lookup_elem(&order, &i);
	u64 now = bpf_ktime_get_ns();

	if (!eldest)
		return 0;
	if (!bpf_map_delete_elem(&births, eldest))
		lose(LOST_START);
	*eldest = file;
	begin(&births, &file, &now);
	return 0;
}

/* By open(2), which does not call vfs_create(). */
static __always_inline int opened(struct path *path, struct file *file)
{
	return BPF_CORE_READ(file, f_mode) & FMODE_CREATED
		       ? birth(BPF_CORE_READ(path, dentry, d_inode))
		       : 0;
}

SEC("fentry/vfs_open")
int BPF_PROG(open, struct path *path, struct file *file)
{
	return opened(path, file);
}

SEC("kprobe/vfs_open")
int BPF_KPROBE(open_probe, struct path *path, struct file *file)
{
	return opened(path, file);
}

/* By mknod(2) and the like: (idmap, dir, dentry, mode, excl) */
SEC("fexit/vfs_create")
int create(u64 *ctx)
{
	struct dentry *dentry = (void *)(IDMAPPED ? argument(ctx, 2) : argument(ctx, 1));
	int ret = IDMAPPED ? argument(ctx, 5) : argument(ctx, 4);

	return ret ? 0 : birth(BPF_CORE_READ(dentry, d_inode));
}

static __always_inline int goes(struct dentry *dentry, struct dentry *to)
{
	struct leaving l = { .file = identify(BPF_CORE_READ(dentry, d_inode)) };
	u64 *at = bpf_map_lookup_elem(&births, &l.file), key = (u64)dentry;

	if (!at || !wanted())
		return 0;
	l.born = *at;
	begin_call(&leaves, &key, &l);
	return 0;
}

/* Where its file system is mounted first; of no use to a path unless the file is below that. */
static __always_inline struct vfsmount *mount_of(struct dentry *dentry)
{
	struct list_head *first = BPF_CORE_READ(dentry, d_sb, s_mounts.next);

	return (void *)first - bpf_core_field_offset(struct mount, mnt_instance) +
	       bpf_core_field_offset(struct mount, mnt);
}

static __noinline int name_of(struct bcc_path *to, struct dentry *dentry)
{
	struct path from = {}, root = {};
	struct task_struct *task = (void *)bpf_get_current_task();
	long n;

	if (!to)
		return 0;
	to->full = false;
	to->len = 0;
	if (conf.full_path) {
		from.dentry = dentry;
		from.mnt = mount_of(dentry);
		BPF_CORE_READ_INTO(&root, task, fs, root);
		barrier(); /* as in slowop_path() */
		to->len = path_append(to->file, to->len, PATH_NAMES, &from, &root);
		to->full = to->len > 0;
	}
	if (!to->full) {
		n = bpf_probe_read_kernel_str(to->file, PATH_NAME,
					      BPF_CORE_READ(dentry, d_name.name));
		to->len = n > 0 ? n : 0;
	}
	if (!to->len || to->full != conf.full_path)
		lose(LOST_TEXT);
	return 0;
}

static __always_inline int gone(void *ctx, struct dentry *dentry, bool folder, int ret)
{
	u64 key = (u64)dentry, ns;
	struct leaving *l = bpf_map_lookup_elem(&leaves, &key);
	struct filelife_event *e = scratch_here();

	if (!l || !e)
		return 0;
	if (!ret && elapsed(l->born, &ns)) {
		bpf_map_delete_elem(&births, &l->file);
		task_now(&e->task);
		e->age_ns = ns;
		name_of(&e->path, dentry);
		if (e->path.len <= sizeof(e->path.file))
			emit(ctx, e, PATH_EVENT_SIZE(*e));
	}
	bpf_map_delete_elem(&leaves, &key);
	return 0;
}

GOES(unlink, "vfs_unlink", false, 4)
