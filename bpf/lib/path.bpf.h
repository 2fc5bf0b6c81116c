/* Full names: from a dentry up to the root of the task's file system, across mounts. */
#ifndef PATH_BPF_H
#define PATH_BPF_H

#include "fd.bpf.h"
#include "path.h"

#define AT_FDCWD   -100
#define PATH_DEPTH 64  /* folders followed */
#define PATH_NAME  256 /* NAME_MAX and its NUL */

/*
 * Appends the names of `dentry` and of the folders above it, each ended by NUL, nearest first, to
 * buf[len]; the new length, or 0 if they do not fit into buf[size] or are too many. `size` is a
 * constant power of two, and buf has PATH_NAME bytes more than that.
 */
static __always_inline u32 path_append(char *buf, u32 len, u32 size, struct path *from,
				       struct path *root)
{
	struct dentry *dentry = BPF_CORE_READ(from, dentry), *stop = BPF_CORE_READ(root, dentry);
	struct vfsmount *vfs = BPF_CORE_READ(from, mnt), *stop_vfs = BPF_CORE_READ(root, mnt);

	for (int i = 0; i < PATH_DEPTH; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		const unsigned char *name;
		u32 at;
		long n;

		if (dentry == stop && vfs == stop_vfs)
			return len;
		if (dentry == BPF_CORE_READ(vfs, mnt_root)) { /* on to where it is mounted */
			u32 inside = bpf_core_field_offset(struct mount, mnt);
			struct mount *m = (void *)vfs - inside, *up = BPF_CORE_READ(m, mnt_parent);

			if (up == m)
				return len;
			dentry = BPF_CORE_READ(m, mnt_mountpoint);
			vfs = (void *)up + inside;
			continue;
		}
		if (dentry == parent)
			return len;
		name = BPF_CORE_READ(dentry, d_name.name);
		if (len >= size)
			return 0;
		at = len;
		barrier_var(at); /* or the compiler leaves out the mask, which old verifiers need */
		n = bpf_probe_read_kernel_str(&buf[at & (size - 1)], PATH_NAME, name);
		if (n < 0)
			return 0;
		len += n;
		dentry = parent;
	}
	return 0;
}

/* The folder that relative names of an *at() call start from: of an open file, or the task's own.
 */
static __always_inline bool path_of_dirfd(int dfd, struct path *path)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct file *file;

	if (dfd == AT_FDCWD) {
		struct fs_struct *fs = BPF_CORE_READ(task, fs);

		return !bpf_core_read(path, sizeof(*path), &fs->pwd);
	}
	file = file_of_fd(dfd);
	return file && !bpf_core_read(path, sizeof(*path), &file->f_path);
}

/*
 * A name that was passed to an *at() call, and if `full` and it is relative the folders above it.
 * Counted as lost text if unreadable; not if it was none (EFAULT).
 */
static __noinline void path_passed(struct bcc_path *to, const char *name, int dfd, bool full,
				   bool none)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct path from = {}, root = {};
	long n;

	if (!to)
		return;
	n = bpf_probe_read_user_str(to->file, PATH_NAMES, name);
	to->len = n > 0 ? n : !n; /* for an empty string the kernel returns 0, not 1 */
	to->full = false;
	if (n < 0 && !none)
		lose(LOST_TEXT);
	if (!full || n <= 0 || to->file[0] == '/' || !path_of_dirfd(dfd, &from))
		return;
	bpf_core_read(&root, sizeof(root), &fs->root);
	if (to->len >= PATH_NAMES - PATH_NAME)
		return;
	n = path_append(to->file, to->len, PATH_NAMES, &from, &root);
	if (n > 0) {
		to->len = n;
		to->full = true;
	} else {
		lose(LOST_TEXT);
	}
}

#endif
