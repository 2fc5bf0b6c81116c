/* What a file descriptor of the current task refers to. */
#ifndef FD_BPF_H
#define FD_BPF_H

#define PROC_SUPER_MAGIC 0x9fa0
#define PID_FS_MAGIC     0x50494446

static __always_inline struct file *file_of_fd(int fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **files, *file = NULL;

	if (fd < 0 || (u32)fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	files = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), &files[fd]);
	return file;
}

/* The process that a pidfd stands for, or a folder of /proc opened as one; 0 if it is neither. */
static __always_inline u32 pid_of_pidfd(int fd)
{
	struct file *file = file_of_fd(fd);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	unsigned long magic = BPF_CORE_READ(inode, i_sb, s_magic);
	struct pid *pid;

	if (!file)
		return 0;
	if (magic == PROC_SUPER_MAGIC)
		pid = BPF_CORE_READ(
			(struct proc_inode *)((void *)inode -
					      bpf_core_field_offset(struct proc_inode, vfs_inode)),
			pid);
	else if (magic == PID_FS_MAGIC) /* 6.9+ */
		pid = BPF_CORE_READ(inode, i_private);
	else
		pid = BPF_CORE_READ(file, private_data);
	if (!pid)
		return 0;
	return filter.pidns ? pid_in_caller_ns(pid) : BPF_CORE_READ(pid, numbers[0].nr);
}

#endif
