/* Reads and writes of any file, in the virtual file system. */
#include "bcctool.bpf.h"
#include "slowop.bpf.h"

#define S_IFMT  0170000
#define S_IFREG 0100000

static __always_inline int transfer(u32 kind, struct file *file, u64 bytes, loff_t *at)
{
	struct slowop op = { .path = &file->f_path, .bytes = bytes };

	if (!wanted())
		return 0;
	if (!conf.all && (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFREG)
		return 0;
	if (at) /* none of what has no position */
		bpf_probe_read_kernel(&op.offset, sizeof(op.offset), at);
	return slowop_enter(kind, &op);
}

/* (file, buffer, bytes, position) */
#define TRANSFER(name, function, kind)                                                             \
	SEC("fentry/" function)                                                                    \
	int BPF_PROG(name, struct file *file, char *buf, size_t bytes, loff_t *at)                 \
	{                                                                                          \
		return transfer(kind, file, bytes, at);                                            \
	}                                                                                          \
	SEC("fexit/" function)                                                                     \
	int BPF_PROG(name##_done, struct file *file, char *buf, size_t bytes, loff_t *at, s64 ret) \
	{                                                                                          \
		return slowop_end(ctx, kind, ret);                                                 \
	}                                                                                          \
	SEC("kprobe/" function)                                                                    \
	int BPF_KPROBE(name##_probe, struct file *file, char *buf, size_t bytes, loff_t *at)       \
	{                                                                                          \
		return transfer(kind, file, bytes, at);                                            \
	}                                                                                          \
	SEC("kretprobe/" function) int name##_probe_done(struct pt_regs *ctx)                      \
	{                                                                                          \
		return slowop_end(ctx, kind, PT_REGS_RC(ctx));                                     \
	}

TRANSFER(read, "vfs_read", FSOP_READ)
TRANSFER(write, "vfs_write", FSOP_WRITE)
