/*
 * A process is over when the last of its threads exits, whichever that is; its leader may be gone
 * long before, and it also ends when another thread calls execve(2).
 */
#include "bcctool.bpf.h"
#include "exitsnoop.h"

#define SIGNAL_GROUP_EXIT 4 /* include/linux/sched/signal.h */

/* A process by its leader: numbers are used again. */
struct process {
	u64 start_time;
	u64 pid;
};

const volatile struct exitsnoop_conf conf;
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 10240);
	__type(key, struct process);
	__type(value, u8);
} ended SEC(".maps");
EVENTS;

/* Of threads that exit at once, several may see that none is left: the first reports. */
static __always_inline bool process_over(struct task_struct *leader, struct signal_struct *sig,
					 bool typed)
{
	struct process key = {};
	u8 yes = 1;

	if (FIELD(typed, sig, live.counter))
		return false;
	key.start_time = FIELD(typed, leader, start_time);
	key.pid = FIELD(typed, leader, pid);
	return !bpf_map_update_elem(&ended, &key, &yes, BPF_NOEXIST);
}

static __always_inline int exited(void *ctx, struct task_struct *p, bool typed)
{
	struct task_struct *leader = FIELD(typed, p, group_leader), *parent, *task;
	struct signal_struct *sig = FIELD(typed, p, signal);
	struct exitsnoop_event e = {};
	struct ids ids;
	u32 code;

	if (!wanted())
		return 0;
	e.last = process_over(leader, sig, typed);
	if (!conf.threads && !e.last)
		return 0;
	/* What wait(2) gives: of threads that were told to exit, what they were told last. */
	code = FIELD(typed, sig, flags) & SIGNAL_GROUP_EXIT ? FIELD(typed, sig, group_exit_code)
							    : FIELD(typed, p, exit_code);
	e.unasked = conf.failed && !code;
	if (e.unasked && !(conf.until_end && e.last))
		return 0;
	task = conf.threads ? p : leader;
	task_now(&e.task);
	ids = ids_of(task, FIELD(typed, task, tgid), FIELD(typed, task, pid));
	e.task.pid = ids.pid;
	e.task.tid = ids.tid;
	COMM_OF(e.task.comm, task);
	between(FIELD(typed, task, start_time), e.task.time, &e.age_ns);
	parent = FIELD(typed, leader, real_parent);
	e.ppid = ids_of(parent, FIELD(typed, parent, tgid), 0).pid;
	e.signal = code & 0x7f;
	e.core_dumped = code & 0x80;
	e.exit_code = code >> 8 & 0xff;
	emit(ctx, &e, sizeof(e));
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exited_typed, struct task_struct *p)
{
	return exited(ctx, p, true);
}

SEC("raw_tp/sched_process_exit")
int BPF_PROG(exited_raw, struct task_struct *p)
{
	return exited(ctx, p, false);
}
