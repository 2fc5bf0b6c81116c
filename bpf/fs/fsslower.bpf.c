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

/*
 * Commits of NFS: the server shall have on its disk what it was sent before. Who syncs, or a thread
 * that writes back, begins one; it ends where the answer comes in.
 */
HASH(commits, u64, struct bcc_task, 10240);

/* (data) */
SEC("?raw_tp/nfs_initiate_commit") int commit(struct bpf_raw_tracepoint_args *ctx)
{
	u64 data = ctx->args[0];
	struct bcc_task task = {};

	if (!wanted())
		return 0;
	task_now(&task);
	begin(&commits, &data, &task);
	return 0;
}

/* A name of the file; NULL if the dentry has gone. */
static __always_inline struct dentry *dentry_of(struct inode *inode)
{
	struct hlist_node *first = BPF_CORE_READ(inode, i_dentry.first);

	return first ? (void *)first - bpf_core_field_offset(struct dentry, d_u.d_alias) : NULL;
}

/* (task, data) */
SEC("?raw_tp/nfs_commit_done") int commit_done(struct bpf_raw_tracepoint_args *ctx)
{
	struct rpc_task *rpc = (void *)ctx->args[0];
	u64 key = ctx->args[1], ns;
	struct nfs_commit_data *data = (void *)key;
	struct bcc_task *found = bpf_map_lookup_elem(&commits, &key), by;
	struct path path = {}; /* no mount: with -F names end at the root of the file system */
	struct slowop op = { .path = &path };
	int status;

	if (!found)
		return 0;
	by = *found;
	bpf_map_delete_elem(&commits, &key);
	if (!elapsed(by.time, &ns) || ns < conf.min_ns)
		return 0;
	path.dentry = dentry_of(BPF_CORE_READ(data, inode));
	status = BPF_CORE_READ(rpc, tk_status);
	slowop_report(ctx, FSOP_COMMIT, &op, &by, status < 0 ? status : 0, ns);
	return 0;
}
