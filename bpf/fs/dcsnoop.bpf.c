/* Names looked up in the cache of directory entries, and those that it does not have. */
#include "bcctool.bpf.h"
#include "dcache.bpf.h"
#include "dcsnoop.h"

HASH(searches, u32, struct qstr *, 10240);
PERCPU(scratch, struct dcsnoop_event);
EVENTS;

/* The name may be part of a path: no NUL ends it. */
static __always_inline int report(void *ctx, u32 type, const struct qstr *name)
{
	struct dcsnoop_event *e = scratch_here();
	u32 len = BPF_CORE_READ(name, len);

	if (!e || !wanted())
		return 0;
	task_now(&e->task);
	e->type = type;
	barrier_var(len);
	if (len > PATH_NAME - 1)
		len = PATH_NAME - 1;
	bpf_probe_read_kernel(e->file, len, BPF_CORE_READ(name, name));
	e->file[len] = '\0';
	e->len = len + 1;
	emit(ctx, e, offsetof(struct dcsnoop_event, file) + len + 1);
	return 0;
}

static __always_inline int referred(void *ctx, struct nameidata *nd)
{
	return report(ctx, DC_REFERRED, &nd->last);
}

static __always_inline int missed(void *ctx, struct qstr *name)
{
	return report(ctx, DC_MISSED, name);
}

LOOKUP_FAST(referred)
LOOKUP_SLOW(missed)

SEC("fexit/d_lookup")
int BPF_PROG(search, struct dentry *parent, struct qstr *name, struct dentry *found)
{
	return found ? 0 : report(ctx, DC_MISSED, name);
}

SEC("kprobe/d_lookup")
int BPF_KPROBE(search_probe, struct dentry *parent, struct qstr *name)
{
	u32 tid = current_tid();

	begin(&searches, &tid, &name);
	return 0;
}

SEC("kretprobe/d_lookup")
int BPF_KRETPROBE(search_probe_done, struct dentry *found)
{
	u32 tid = current_tid();
	struct qstr **name = bpf_map_lookup_elem(&searches, &tid);

	if (!name)
		return 0;
	if (!found)
		report(ctx, DC_MISSED, *name);
	bpf_map_delete_elem(&searches, &tid);
	return 0;
}
