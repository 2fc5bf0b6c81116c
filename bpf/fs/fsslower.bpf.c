/* The functions of a file system that do reads, writes, opens, fsyncs and lookups of attributes. */
#include "bcctool.bpf.h"
#include "idmap.bpf.h"
#include "slowop.bpf.h"

/* (kiocb, iov_iter) */
static __always_inline int transfer(u32 kind, u64 first, u64 second)
{
	struct kiocb *iocb = (void *)first;
	struct slowop op = { .iocb = iocb };

	if (!wanted())
		return 0;
	op.path = &BPF_CORE_READ(iocb, ki_filp)->f_path;
	op.offset = BPF_CORE_READ(iocb, ki_pos);
	return slowop_enter(kind, &op);
}

/* (inode, file) */
static __always_inline int opens(u32 kind, u64 first, u64 second)
{
	struct slowop op = { .path = &((struct file *)second)->f_path };

	return wanted() ? slowop_enter(kind, &op) : 0;
}

/* (file, start, end, datasync) */
static __always_inline int syncs(u32 kind, u64 first, u64 second)
{
	struct slowop op = { .path = &((struct file *)first)->f_path, .offset = second };

	return wanted() ? slowop_enter(kind, &op) : 0;
}

/* (idmap, path, stat, mask, flags) */
static __always_inline int attributes(u32 kind, u64 first, u64 second)
{
	struct slowop op = { .path = (void *)(IDMAPPED ? second : first) };

	return wanted() ? slowop_enter(kind, &op) : 0;
}

/* The programs of the stand-ins of lib/filesystem.h, named as those of FSOPS(). */
#define SLOWOP(name, kind, enter, args)                                                            \
	SEC("?fentry/fs_" #name) int name(u64 *ctx)                                                \
	{                                                                                          \
		return enter(kind, argument(ctx, 0), argument(ctx, 1));                            \
	}                                                                                          \
	SEC("?fexit/fs_" #name) int name##_done(u64 *ctx)                                          \
	{                                                                                          \
		return slowop_end(ctx, kind, (s32)(args));                                         \
	}                                                                                          \
	SEC("?kprobe/fs_" #name) int name##_probe(struct pt_regs *ctx)                             \
	{                                                                                          \
		return enter(kind, PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx));                        \
	}                                                                                          \
	SEC("?kretprobe/fs_" #name) int name##_probe_done(struct pt_regs *ctx)                     \
	{                                                                                          \
		return slowop_end(ctx, kind, (s32)PT_REGS_RC(ctx));                                \
	}

SLOWOP(read, FSOP_READ, transfer, argument(ctx, 2))
SLOWOP(write, FSOP_WRITE, transfer, argument(ctx, 2))
SLOWOP(open, FSOP_OPEN, opens, argument(ctx, 2))
SLOWOP(open_too, FSOP_OPEN, opens, argument(ctx, 2))
SLOWOP(fsync, FSOP_FSYNC, syncs, argument(ctx, 4))
SLOWOP(getattr, FSOP_GETATTR, attributes, IDMAPPED ? argument(ctx, 5) : argument(ctx, 4))
