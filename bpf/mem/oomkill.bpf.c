/*
 * The moment when a victim has been chosen. The current task is the one whose allocation found no
 * memory; oom_lock is held, so that there is one at a time.
 */
#include "bcctool.bpf.h"
#include "eventstack.bpf.h"
#include "oomkill.h"

PERCPU(scratch, struct oomkill_event);
EVENTS;

static __always_inline int on_kill(void *ctx, struct oom_control *oc, bool typed)
{
	struct task_struct *victim = FIELD(typed, oc, chosen);
	struct oomkill_event *e = scratch_here();

	if (!e || !wanted())
		return 0;
	e->time = bpf_ktime_get_ns();
	e->pid = current_pid();
	current_comm(e->comm);
	e->killed_pid = ids_of(victim, BPF_CORE_READ(victim, tgid), 0).pid;
	COMM_OF(e->killed_comm, victim);
	e->pages = FIELD(typed, oc, totalpages);
	eventstack_take(ctx, &e->user, BPF_F_USER_STACK);
	emit(ctx, e, sizeof(*e));
	return 0;
}

SEC("fentry/oom_kill_process")
int BPF_PROG(killed, struct oom_control *oc)
{
	return on_kill(ctx, oc, true);
}

SEC("kprobe/oom_kill_process")
int BPF_KPROBE(killed_probe, struct oom_control *oc)
{
	return on_kill(ctx, oc, false);
}
