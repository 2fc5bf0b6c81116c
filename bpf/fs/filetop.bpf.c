/* What reads and writes of files returned, by thread and file. */
#include "bcctool.bpf.h"
#include "fsop.bpf.h"
#include "filetop.h"

const volatile struct filetop_conf conf;
TABLE(rows, struct filetop_key, struct filetop_value, 10240);

static __always_inline bool in_folder(struct dentry *dentry)
{
	struct inode *folder = BPF_CORE_READ(dentry, d_parent, d_inode);

	return BPF_CORE_READ(folder, i_ino) == conf.folder &&
	       BPF_CORE_READ(folder, i_sb, s_dev) == conf.dev;
}

static __always_inline int count(void *ctx, u32 kind, const struct fsop *op, s64 result, u64 ns)
{
	struct path *path = op->path;
	struct dentry *dentry = BPF_CORE_READ(path, dentry);
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	u32 type = path_type(path);
	struct filetop_key key = {
		.inode = BPF_CORE_READ(inode, i_ino),
		.dev = BPF_CORE_READ(inode, i_sb, s_dev),
		.rdev = BPF_CORE_READ(inode, i_rdev),
		.type = type == S_IFREG    ? FILE_REGULAR
			: type == S_IFSOCK ? FILE_SOCKET
					   : FILE_OTHER,
	};
	struct ids ids = current_ids();
	struct filetop_value *v;

	if ((!conf.all_files && key.type != FILE_REGULAR) || (conf.folder && !in_folder(dentry)))
		return 0;
	key.tid = ids.tid;
	v = rows_at(&key);
	if (!v)
		return 0;
	if (!v->reads && !v->writes) {
		v->pid = ids.pid;
		bpf_get_current_comm(v->comm, sizeof(v->comm));
		bpf_probe_read_kernel_str(v->file, sizeof(v->file),
					  BPF_CORE_READ(dentry, d_name.name));
	}
	if (kind == FSOP_READ) {
		v->reads++;
		v->read_bytes += result > 0 ? result : 0;
	} else {
		v->writes++;
		v->write_bytes += result > 0 ? result : 0;
	}
	return 0;
}

FSOPS_VFS(count)
