/*
 * Operations on files that take long, from entry to return. They nest (a write of O_SYNC is an
 * fsync too), so each kind has an entry of its own.
 */
#ifndef SLOWOP_BPF_H
#define SLOWOP_BPF_H

#include "path.bpf.h"
#include "slowop.h"

struct slowop_key {
	u32 tid, kind;
};

/* What it points to belongs to the caller, who still has it when the call returns. */
struct slowop {
	u64 start;
	struct path *path;
	struct kiocb *iocb; /* of reads and writes by kiocb */
	s64 offset;
	u64 bytes;
};

const volatile struct slowop_conf conf;
HASH(slowops, struct slowop_key, struct slowop, 10240);
PERCPU(scratch, struct slowop_event);
EVENTS;

static __always_inline int slowop_enter(u32 kind, struct slowop *op)
{
	struct slowop_key key = { current_tid(), kind };

	op->start = bpf_ktime_get_ns();
	begin_call(&slowops, &key, op);
	return 0;
}

/* By name, or with -F all names up to the root. */
static __noinline int slowop_path(struct bcc_path *to, struct path *from)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct path root = {};
	long n;

	if (!to)
		return 0;
	to->full = false;
	if (conf.full_path) {
		BPF_CORE_READ_INTO(&root, task, fs, root);
		/* A length that the verifier knows would make each round of the loop new to it. */
		to->len = 0;
		barrier();
		to->len = path_append(to->file, to->len, PATH_NAMES, from, &root);
		to->full = to->len > 0;
	}
	if (!to->full) {
		n = bpf_probe_read_kernel_str(to->file, PATH_NAME,
					      BPF_CORE_READ(from, dentry, d_name.name));
		to->len = n > 0 ? n : 0;
	}
	if (!to->len || to->full != conf.full_path)
		lose(LOST_TEXT);
	return 0;
}

/* `by`: who began it, NULL: the current task. */
static __always_inline void slowop_report(void *ctx, u32 kind, struct slowop *op,
					  struct bcc_task *by, s64 ret, u64 ns)
{
	struct slowop_event *e = scratch_here();
	struct kiocb *iocb = op->iocb;

	if (!e)
		return;
	if (by) {
		e->task = *by;
		e->task.time = bpf_ktime_get_ns();
	} else {
		task_now(&e->task);
	}
	e->lat_ns = ns;
	e->op = kind;
	e->unused = 0;
	e->ret = ret;
	e->bytes = op->bytes;
	e->offset = op->offset;
	if (iocb) {
		e->bytes = ret > 0 ? ret : 0;
		if (ret > 0) /* only now is it known where O_APPEND began */
			e->offset = BPF_CORE_READ(iocb, ki_pos) - ret;
	}
	slowop_path(&e->path, op->path);
	if (e->path.len <= sizeof(e->path.file))
		emit(ctx, e, PATH_EVENT_SIZE(*e));
}

static __noinline int slowop_end(void *ctx, u32 kind, s64 ret)
{
	struct slowop_key key = { current_tid(), kind };
	struct slowop *found = bpf_map_lookup_elem(&slowops, &key), op;
	u64 ns;

	if (!found)
		return 0;
	op = *found;
	bpf_map_delete_elem(&slowops, &key);
	if (elapsed(op.start, &ns) && ns >= conf.min_ns)
		slowop_report(ctx, kind, &op, NULL, ret, ns);
	return 0;
}

#endif
