/*
 * Calls that mount and unmount are reported when they return. The functions of the calls have their
 * arguments still; where they cannot be traced, these are kept from the entry.
 */
#include "bcctool.bpf.h"
#include "syscall.bpf.h"
#include "mountsnoop.h"

#define FSCONFIG_SET_STRING     1
#define FSCONFIG_SET_PATH       3
#define FSCONFIG_SET_PATH_EMPTY 4

struct call {
	u32 call, unused;
	unsigned long args[5];
};

HASH(calls, u32, struct call, 1024);
PERCPU(scratch, struct mountsnoop_event);
PERCPU(none, struct mountsnoop_event); /* nobody writes there: zeros */
EVENTS;

#define READ_TEXT(to, from)                                                                        \
	do {                                                                                       \
		if (from && bpf_probe_read_user_str(to, sizeof(to), (void *)(from)) < 0)           \
			lose(LOST_TEXT);                                                           \
	} while (0)

static __always_inline void describe(struct mountsnoop_event *e, const unsigned long *args)
{
	bool text;

	switch (e->call) {
	case MOUNT:
		READ_TEXT(e->source, args[0]);
		READ_TEXT(e->target, args[1]);
		READ_TEXT(e->type, args[2]);
		e->flags = args[3];
		READ_TEXT(e->data, args[4]);
		break;
	case UMOUNT:
		READ_TEXT(e->target, args[0]);
		e->flags = args[1];
		break;
	case FSOPEN:
		READ_TEXT(e->type, args[0]);
		e->flags = args[1];
		break;
	case FSCONFIG:
		e->fd = args[0];
		e->command = args[1];
		text = e->command == FSCONFIG_SET_STRING || e->command == FSCONFIG_SET_PATH ||
		       e->command == FSCONFIG_SET_PATH_EMPTY;
		READ_TEXT(e->source, args[2]);
		if (text)
			READ_TEXT(e->data, args[3]);
		e->aux = args[4];
		break;
	case FSMOUNT:
		e->fd = args[0];
		e->flags = args[1];
		e->attr_flags = args[2];
		break;
	case MOVE_MOUNT:
		e->fd = args[0];
		READ_TEXT(e->source, args[1]);
		e->to_fd = args[2];
		READ_TEXT(e->target, args[3]);
		e->flags = args[4];
		break;
	}
}

static __noinline int report(void *ctx, u32 call, const unsigned long *args, int ret)
{
	struct mountsnoop_event *e = scratch_here();
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	if (!e || !args)
		return 0;
	bpf_probe_read_kernel(e, sizeof(*e), none_here());
	task_now(&e->task);
	e->ppid = ids_of(parent, BPF_CORE_READ(parent, tgid), 0).pid;
	COMM_OF(e->pcomm, parent);
	e->mnt_ns = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	e->call = call;
	e->ret = ret;
	describe(e, args);
	emit(ctx, e, sizeof(*e));
	return 0;
}

static __always_inline int done(void *ctx, u32 call, const unsigned long *args, int ret)
{
	return wanted() ? report(ctx, call, args, ret) : 0;
}

static __always_inline int enter(u32 what, const unsigned long *args)
{
	struct call call = { what, 0, { args[0], args[1], args[2], args[3], args[4] } };
	u32 tid = current_tid();

	if (wanted())
		begin(&calls, &tid, &call);
	return 0;
}

static __always_inline int leave(void *ctx, int ret)
{
	u32 tid = current_tid();
	struct call *call = bpf_map_lookup_elem(&calls, &tid), of;

	if (!call)
		return 0;
	of = *call;
	bpf_map_delete_elem(&calls, &tid);
	return report(ctx, of.call, of.args, ret);
}

#define CALL(name, call)                                                                           \
	SYSCALL_RETURN(name, done(ctx, call, t->args, ret))                                        \
	SYSCALL(name, enter(call, t->args))

CALL(mount, MOUNT)
CALL(umount, UMOUNT)
CALL(fsopen, FSOPEN)
CALL(fsconfig, FSCONFIG)
CALL(fsmount, FSMOUNT)
CALL(move_mount, MOVE_MOUNT)
