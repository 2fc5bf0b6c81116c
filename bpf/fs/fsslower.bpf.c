/* Operations of a file system that took long. */
#include "bcctool.bpf.h"
#include "fsop.bpf.h"
#include "path.bpf.h"
#include "fsslower.h"

const volatile struct fsslower_conf conf;
PERCPU(scratch, struct fsslower_event);
EVENTS;

static __always_inline void send(void *ctx, struct fsslower_event *e)
{
	if (e->path.len <= sizeof(e->path.file))
		emit(ctx, e, PATH_EVENT_SIZE(*e));
}

/* Where a read or write began is known at its end: only then do appends have their place. */
static __noinline int report(void *ctx, u32 kind, const struct fsop *op, s64 result, u64 ns)
{
	struct fsslower_event *e = scratch_here();
	struct kiocb *iocb;

	if (!e || !op)
		return 0;
	task_now(&e->task);
	e->lat_ns = ns;
	e->op = kind;
	e->unused = 0;
	e->bytes = result;
	iocb = op->iocb;
	e->offset = iocb ? BPF_CORE_READ(iocb, ki_pos) - (result > 0 ? result : 0) : 0;
	path_names(&e->path, op->path, conf.full_path);
	send(ctx, e);
	return 0;
}

static __always_inline int slow(void *ctx, u32 kind, const struct fsop *op, s64 result, u64 ns)
{
	return ns < conf.min_ns ? 0 : report(ctx, kind, op, result, ns);
}

FSOPS(slow)

/*
 * NFS: a commit, by which a server puts on disk what it was sent before, belongs to who asked for
 * it; its end comes to another task.
 */
HASH(commits, u64, struct bcc_task, 10240);

static __always_inline int commit_begins(u64 data)
{
	struct bcc_task task = {};

	if (!wanted())
		return 0;
	task_now(&task);
	begin(&commits, &data, &task);
	return 0;
}

static __always_inline int commit_ends(void *ctx, u64 data)
{
	struct bcc_task *begun = bpf_map_lookup_elem(&commits, &data);
	struct fsslower_event *e = scratch_here();
	struct inode *inode = NULL;
	void *alias = NULL;
	struct path path;
	u64 ns;

	if (!begun || !e)
		return 0;
	e->task = *begun;
	bpf_map_delete_elem(&commits, &data);
	if (!elapsed(e->task.time, &ns) || ns < conf.min_ns)
		return 0;
	e->task.time += ns;
	e->lat_ns = ns;
	e->op = FSOP_COMMIT;
	e->unused = 0;
	e->bytes = e->offset = 0;
	e->path.len = 0;
	e->path.full = false;
	if (conf.commit_inode)
		bpf_probe_read_kernel(&inode, sizeof(inode), (void *)data + conf.commit_inode);
	alias = BPF_CORE_READ(inode, i_dentry.first);
	if (alias) {
		path = path_of_dentry(alias - bpf_core_field_offset(struct dentry, d_u.d_alias));
		path_names(&e->path, &path, conf.full_path);
	}
	send(ctx, e);
	return 0;
}

SEC("?fentry/nfs_initiate_commit")
int BPF_PROG(commit, void *client, u64 data)
{
	return commit_begins(data);
}

SEC("?fentry/nfs_commit_done")
int BPF_PROG(commit_done, void *task, u64 data)
{
	return commit_ends(ctx, data);
}

SEC("?kprobe/nfs_initiate_commit")
int BPF_KPROBE(commit_probe, void *client, u64 data)
{
	return commit_begins(data);
}

SEC("?kprobe/nfs_commit_done")
int BPF_KPROBE(commit_probe_done, void *task, u64 data)
{
	return commit_ends(ctx, data);
}
