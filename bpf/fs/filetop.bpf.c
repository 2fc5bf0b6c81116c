/* Reads and writes of files, counted when they begin: what was asked for, by thread and file. */
#include "bcctool.bpf.h"
#include "filetop.h"

#define S_IFMT   0170000
#define S_IFREG  0100000
#define S_IFSOCK 0140000

const volatile struct filetop_conf conf;
TABLE(rows, struct filetop_key, struct filetop_value, 10240);

static __always_inline u32 type_of(u32 mode)
{
	mode &= S_IFMT;
	return mode == S_IFREG    ? FILETOP_REGULAR
	       : mode == S_IFSOCK ? FILETOP_SOCKET
				  : FILETOP_OTHER;
}

static __always_inline u32 super_dev(struct inode *inode, bool typed)
{
	return typed ? inode->i_sb->s_dev : BPF_CORE_READ(inode, i_sb, s_dev);
}

static __always_inline bool in_folder(struct dentry *dentry, bool typed)
{
	struct inode *folder;

	if (!conf.in_folder)
		return true;
	folder = typed ? dentry->d_parent->d_inode : BPF_CORE_READ(dentry, d_parent, d_inode);
	return FIELD(typed, folder, i_ino) == conf.folder &&
	       (!conf.folder_dev || super_dev(folder, typed) == conf.folder_dev);
}

static __always_inline struct filetop_value *row_of(struct file *file, bool typed)
{
	struct inode *inode = FIELD(typed, file, f_inode);
	struct dentry *dentry = FIELD(typed, file, f_path.dentry);
	u32 type = type_of(FIELD(typed, inode, i_mode));
	struct filetop_key key = {};
	struct filetop_value *v;
	struct ids ids;

	if ((type != FILETOP_REGULAR && !conf.all) || !wanted() || !in_folder(dentry, typed))
		return NULL;
	ids = current_ids();
	key.name = (u64)FIELD(typed, dentry, d_name.name);
	key.inode = FIELD(typed, inode, i_ino);
	key.dev = super_dev(inode, typed);
	key.rdev = FIELD(typed, inode, i_rdev);
	key.pid = ids.pid;
	key.tid = ids.tid;
	v = rows_at(&key);
	if (v && !v->comm[0]) {
		current_comm(v->comm);
		v->type = type;
		bpf_probe_read_kernel_str(v->file, sizeof(v->file), (void *)key.name);
	}
	return v;
}

static __always_inline int reads(struct file *file, u64 bytes, bool typed)
{
	struct filetop_value *v = conf.no_reads ? NULL : row_of(file, typed);

	if (v) {
		v->reads++;
		v->read_bytes += bytes;
	}
	return 0;
}

static __always_inline int writes(struct file *file, u64 bytes, bool typed)
{
	struct filetop_value *v = conf.no_writes ? NULL : row_of(file, typed);

	if (v) {
		v->writes++;
		v->write_bytes += bytes;
	}
	return 0;
}

SEC("fentry/vfs_read")
int BPF_PROG(read, struct file *file, char *buf, size_t bytes)
{
	return reads(file, bytes, true);
}

SEC("fentry/vfs_write")
int BPF_PROG(write, struct file *file, const char *buf, size_t bytes)
{
	return writes(file, bytes, true);
}

SEC("kprobe/vfs_read")
int BPF_KPROBE(read_probe, struct file *file, char *buf, size_t bytes)
{
	return reads(file, bytes, false);
}

SEC("kprobe/vfs_write")
int BPF_KPROBE(write_probe, struct file *file, const char *buf, size_t bytes)
{
	return writes(file, bytes, false);
}
