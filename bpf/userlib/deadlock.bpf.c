/*
 * The mutexes that each thread holds, and in what order it asks for them. A mutex counts as held
 * from when it is asked for: those who are in a deadlock never get it.
 */
#include "bcctool.bpf.h"
#include "site.bpf.h"
#include "stack.bpf.h"
#include "deadlock.h"

const volatile struct deadlock_conf conf;

struct mutex {
	u64 lock, stack;
};

struct thread {
	struct mutex held[DEADLOCK_HELD]; /* those of lock 0 are free */
};

HASH(threads, u32, struct thread, 65536);
HASH(edges, struct deadlock_key, struct deadlock_value, 65536);
HASH(parents, u32, struct deadlock_parent, 65536);
static const struct thread none;

static __always_inline struct thread *this_thread(void)
{
	u32 tid = current_tid();
	struct thread *t = bpf_map_lookup_elem(&threads, &tid);

	if (t)
		return t;
	begin(&threads, &tid, &none);
	return bpf_map_lookup_elem(&threads, &tid);
}

static __always_inline void order(const struct mutex *held, const struct mutex *wanted)
{
	struct deadlock_key key = { held->lock, wanted->lock };
	struct deadlock_value v = { .wanted_at = wanted->stack, .held_at = held->stack };
	struct ids ids = current_ids();

	if (bpf_map_lookup_elem(&edges, &key))
		return;
	v.pid = ids.pid;
	v.tid = ids.tid;
	current_comm(v.comm);
	if (bpf_map_update_elem(&edges, &key, &v, BPF_ANY))
		lose(LOST_KEY);
}

static __always_inline int lock(struct pt_regs *ctx, u64 mutex)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mutex wanted = { .lock = mutex };
	struct thread *t = this_thread();
	bool kept = false;

	if (!t || !mutex)
		return 0;
	for (u32 i = 0; i < DEADLOCK_HELD; i++)
		if (t->held[i].lock == mutex) /* of the kind that may be locked again */
			return 0;
	wanted.stack = stack_user_entry(ctx, BPF_CORE_READ(task, flags), current_pid());
	for (u32 i = 0; i < DEADLOCK_HELD; i++)
		if (t->held[i].lock)
			order(&t->held[i], &wanted);
	for (u32 i = 0; i < DEADLOCK_HELD && !kept; i++)
		if (!t->held[i].lock) {
			t->held[i] = wanted;
			kept = true;
		}
	if (!kept)
		lose(LOST_START);
	return 0;
}

static __always_inline int unlock(u64 mutex)
{
	u32 tid = current_tid();
	struct thread *t = bpf_map_lookup_elem(&threads, &tid);
	bool holds = false;

	if (!t || !mutex)
		return 0;
	for (u32 i = 0; i < DEADLOCK_HELD; i++) {
		if (t->held[i].lock == mutex)
			t->held[i].lock = 0;
		holds |= t->held[i].lock;
	}
	if (!holds)
		bpf_map_delete_elem(&threads, &tid);
	return 0;
}

/* In the thread that makes it. */
static __always_inline int thread_made(struct trace_event_raw_task_newtask *t, u32 number)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct deadlock_parent parent = {};
	struct ids ids = current_ids();
	u32 tid = t->pid;

	if (!wanted())
		return 0;
	parent.pid = ids.pid;
	parent.tid = ids.tid;
	parent.user = stack_user(t, BPF_CORE_READ(task, flags), ids.pid);
	current_comm(parent.comm);
	begin(&parents, &tid, &parent);
	return 0;
}

static __always_inline int follow(struct pt_regs *ctx, u32 number)
{
	u32 kind = conf.kind[number & (DEADLOCK_SITES - 1)];

	if (!wanted())
		return 0;
	if (kind == DEADLOCK_LOCK)
		return lock(ctx, PT_REGS_PARM1(ctx));
	return kind == DEADLOCK_UNLOCK ? unlock(PT_REGS_PARM1(ctx)) : 0;
}

SITES_APART(follow, thread_made)
