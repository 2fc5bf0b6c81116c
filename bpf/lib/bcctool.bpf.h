/* What every BPF program here starts from: maps in a line, the shared filter, events, losses. */
#ifndef BCCTOOL_BPF_H
#define BCCTOOL_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>

#include "filter.h"
#include "loss.h"
#include "task.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct bcc_filter filter;

u64 bcc_lost[LOST_KINDS];

static __always_inline void lose(enum bcc_loss kind)
{
	__sync_fetch_and_add(&bcc_lost[kind], 1);
}

#include "between.bpf.h"

#define HASH(name, key_t, value_t, entries)                                                        \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, entries);                                                      \
		__type(key, key_t);                                                                \
		__type(value, value_t);                                                            \
	} name SEC(".maps")

/*
 * --cgroupmap and --mntnsmap: maps that somebody else pinned and keeps. Not created, and not looked
 * at, unless they were named.
 */
HASH(cgroupmap, u64, u64, 1);
HASH(mntnsmap, u64, u32, 1);

/* One value for each CPU, at name##_here(). */
#define PERCPU(name, value_t)                                                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                           \
		__uint(max_entries, 1);                                                            \
		__type(key, u32);                                                                  \
		__type(value, value_t);                                                            \
	} name SEC(".maps");                                                                       \
	static __always_inline value_t *name##_here(void)                                          \
	{                                                                                          \
		u32 zero = 0;                                                                      \
                                                                                                   \
		return bpf_map_lookup_elem(&name, &zero);                                          \
	}

/*
 * Results by key, for run_hist(), run_table() and run_stacks(). There are two buffers, and user
 * space exchanges them when it reads one (replacing an inner map waits until no program uses it),
 * so no count is lost or seen twice between intervals. name##_at() gives the value under a key, as
 * zeroes if the key is new; NULL, and counted as lost, when the buffer is full.
 */
#define TABLE(name, key_t, value_t, entries)                                                       \
	HASH(name##_a, key_t, value_t, entries);                                                   \
	HASH(name##_b, key_t, value_t, entries);                                                   \
	struct name##_shape { /* of the buffers; libbpf makes one to show the kernel: a small one  \
			       */                                                                  \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, 1);                                                            \
		__type(key, key_t);                                                                \
		__type(value, value_t);                                                            \
	};                                                                                         \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
		__uint(max_entries, 1);                                                            \
		__type(key, u32);                                                                  \
		__array(values, struct name##_shape);                                              \
	} name SEC(".maps") = { .values = { (void *)&name##_a } };                                 \
	static const value_t name##_zero;                                                          \
	u32 name##_new; /* keys since user space set this to 0 */                                  \
	static __always_inline value_t *name##_at(const key_t *key)                                \
	{                                                                                          \
		u32 zero = 0;                                                                      \
		void *map = bpf_map_lookup_elem(&name, &zero);                                     \
		value_t *v = map ? bpf_map_lookup_elem(map, key) : NULL;                           \
                                                                                                   \
		if (v || !map)                                                                     \
			return v;                                                                  \
		if (!bpf_map_update_elem(map, key, &name##_zero, BPF_NOEXIST))                     \
			__sync_fetch_and_add(&name##_new, 1);                                      \
		v = bpf_map_lookup_elem(map, key);                                                 \
		if (!v)                                                                            \
			lose(LOST_KEY);                                                            \
		return v;                                                                          \
	}

/*
 * Results by a number below n instead of a key: each CPU has its own array, which costs least. A
 * value is u64s that only grow; the engines subtract what they read before. name##_of() gives the
 * value of a number; NULL from n on.
 */
#define COUNTERS(name, value_t, n)                                                                 \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                           \
		__uint(max_entries, n);                                                            \
		__type(key, u32);                                                                  \
		__type(value, value_t);                                                            \
	} name SEC(".maps");                                                                       \
	static __always_inline value_t *name##_of(u32 i)                                           \
	{                                                                                          \
		return bpf_map_lookup_elem(&name, &i);                                             \
	}

/* Counters for run_stat(): n of them, each CPU its own. */
#define STATS(n)                                                                                   \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                           \
		__uint(max_entries, n);                                                            \
		__type(key, u32);                                                                  \
		__type(value, u64);                                                                \
	} stats SEC(".maps");                                                                      \
	static __always_inline void stat_add(u32 i, u64 by)                                        \
	{                                                                                          \
		u64 *v = bpf_map_lookup_elem(&stats, &i);                                          \
                                                                                                   \
		if (v)                                                                             \
			*v += by;                                                                  \
	}

/*
 * The buffer that run_events() reads: a ring buffer, or where the kernel has none (before 5.8) a
 * perf buffer, to which the library turns it. The reader sets `reader_idle` before it sleeps; only
 * then is it worth waking.
 */
u32 reader_idle;

#define EVENTS                                                                                     \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_RINGBUF);                                                \
		__uint(max_entries, 4096);                                                         \
	} events SEC(".maps");                                                                     \
	static __always_inline long hand_over(void *ctx, void *event, u64 size)                    \
	{                                                                                          \
		u64 flags = BPF_RB_NO_WAKEUP;                                                      \
                                                                                                   \
		if (filter.perf_buffer)                                                            \
			return bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, event,       \
						     size);                                        \
		if (reader_idle) {                                                                 \
			reader_idle = 0;                                                           \
			flags = BPF_RB_FORCE_WAKEUP;                                               \
		}                                                                                  \
		return bpf_ringbuf_output(&events, event, size, flags);                            \
	}                                                                                          \
	static __always_inline void emit(void *ctx, void *event, u64 size)                         \
	{                                                                                          \
		if (hand_over(ctx, event, size))                                                   \
			lose(LOST_EVENT);                                                          \
	}

/*
 * The i-th argument of an fentry or fexit program, after the last its function's result. Where i
 * depends on the kernel, a compiler would make one load at a computed offset of two, and that the
 * verifier does not take.
 */
#define argument(ctx, i)                                                                           \
	({                                                                                         \
		u64 arg_ = (ctx)[i];                                                               \
                                                                                                   \
		barrier_var(arg_);                                                                 \
		arg_;                                                                              \
	})

/* Puts the start of something in flight into a HASH; a full map is counted. */
#define begin(map, key, value)                                                                     \
	({                                                                                         \
		if (bpf_map_update_elem(map, key, value, BPF_ANY))                                 \
			lose(LOST_START);                                                          \
	})

/*
 * The same for calls that do not nest, by thread: one that is still there had a return that was not
 * seen. A kretprobe follows only so many calls at a time. An fexit program is skipped for the calls
 * in flight whenever another tracer comes to the function or leaves it, since the kernel then makes
 * the trampoline anew (bpf_tramp_image_put() of kernel/bpf/trampoline.c).
 */
#define begin_call(map, key, value)                                                                \
	({                                                                                         \
		if (bpf_map_lookup_elem(map, key))                                                 \
			lose(LOST_RETURN);                                                         \
		begin(map, key, value);                                                            \
	})

/* Calls of fexit programs, which need no more of the beginning than that there was one. */
#define INSIDE(name) HASH(name, u32, u8, 10240)

#define entered(inside)                                                                            \
	({                                                                                         \
		u32 tid_ = current_tid();                                                          \
		u8 mark_ = 1;                                                                      \
		if (wanted())                                                                      \
			begin_call(inside, &tid_, &mark_);                                         \
		0;                                                                                 \
	})

#define returned(inside)                                                                           \
	({                                                                                         \
		u32 tid_ = current_tid();                                                          \
		bpf_map_delete_elem(inside, &tid_);                                                \
	})

/* Ids as whoever runs bcctool sees them: in its pid namespace; 0 for tasks outside it. */
struct ids {
	u32 pid, tid;
};

/* A struct pid has a number for each namespace it is visible in, innermost last. */
static __noinline u32 pid_in_caller_ns(struct pid *pid)
{
	u32 level = BPF_CORE_READ(pid, level);
	struct upid up = {};

	for (u32 i = 0; i < 32 && i <= level; i++) {
		bpf_core_read(&up, sizeof(up), &pid->numbers[level - i]);
		if (BPF_CORE_READ(up.ns, ns.inum) == filter.pidns)
			return up.nr;
	}
	return 0;
}

static __always_inline struct ids ids_of(struct task_struct *task, u32 pid, u32 tid)
{
	if (!filter.pidns)
		return (struct ids){ pid, tid };
	return (struct ids){ pid_in_caller_ns(BPF_CORE_READ(task, group_leader, thread_pid)),
			     pid_in_caller_ns(BPF_CORE_READ(task, thread_pid)) };
}

static __always_inline struct ids current_ids(void)
{
	u64 id = bpf_get_current_pid_tgid();

	if (!filter.pidns)
		return (struct ids){ id >> 32, id };
	return ids_of((struct task_struct *)bpf_get_current_task(), id >> 32, id);
}

static __always_inline u32 current_pid(void)
{
	return current_ids().pid;
}

/* The thread's number in the kernel: for keys of maps; events carry ids as the caller sees them. */
static __always_inline u32 current_tid(void)
{
	return bpf_get_current_pid_tgid();
}

static __always_inline u32 current_uid(void)
{
	return bpf_get_current_uid_gid();
}

static __always_inline bool listed(const volatile struct bcc_ids *list, u32 id)
{
	if (!list->n)
		return true;
	for (u32 i = 0; i < FILTER_IDS && i < list->n; i++)
		if (list->id[i] == id)
			return true;
	return false;
}

static __always_inline bool wanted_ids(struct ids ids)
{
	return listed(&filter.pids, ids.pid) && listed(&filter.tids, ids.tid);
}

/*
 * Names of threads, with zeros to the end: what the kernel's helpers write ends with the name, and
 * what was there before, on a stack that was the kernel's, would go out with it, or tell one key
 * from another.
 */
static __always_inline void current_comm(char comm[COMM_LEN])
{
	__builtin_memset(comm, 0, COMM_LEN);
	bpf_get_current_comm(comm, COMM_LEN);
}

/* COMM_OF(to, task, group_leader): of a task, or what it points to. */
#define COMM_OF(to, task, ...)                                                                     \
	({                                                                                         \
		__builtin_memset(to, 0, sizeof(to));                                               \
		BPF_CORE_READ_STR_INTO(&(to), task, ##__VA_ARGS__, comm);                          \
	})

/* Does a thread's name contain the -n NAME? */
static __noinline bool comm_contains(const char *comm)
{
	for (u32 at = 0; at < COMM_LEN; at++) {
		u32 n = 0;

		if (!comm)
			return false;
		while (n < COMM_LEN && n < filter.comm_len && at + n < COMM_LEN &&
		       comm[at + n] == filter.comm[n])
			n++;
		if (n == filter.comm_len)
			return true;
	}
	return false;
}

static __always_inline bool wanted_comm(const char comm[COMM_LEN])
{
	return !filter.comm_len || comm_contains(comm);
}

/* Is the cgroup filter.cgroup, or below it? `cgrp` is one of the v2 hierarchy. */
static __always_inline bool wanted_cgroup_of(struct task_struct *task)
{
	struct cgroup *cgrp;
	u32 level;

	if (!filter.cgroup)
		return true;
	cgrp = BPF_CORE_READ(task, cgroups, dfl_cgrp);
	if (!bpf_core_field_exists(cgrp->ancestors)) /* before 6.1: itself only */
		return BPF_CORE_READ(cgrp, kn, id) == filter.cgroup;
	level = BPF_CORE_READ(cgrp, level);
	for (u32 i = 0; i < 32 && i <= level; i++) {
		struct cgroup *a = NULL;

		bpf_core_read(&a, sizeof(a), &cgrp->ancestors[level - i]);
		if (BPF_CORE_READ(a, kn, id) == filter.cgroup)
			return true;
	}
	return false;
}

/* By the pinned maps: a cgroup itself, not those below it, as in BCC. */
static __always_inline bool mapped(struct task_struct *task)
{
	u64 id;

	if (filter.cgroupmap) {
		id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
		if (!bpf_map_lookup_elem(&cgroupmap, &id))
			return false;
	}
	if (filter.mntnsmap) {
		id = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
		if (!bpf_map_lookup_elem(&mntnsmap, &id))
			return false;
	}
	return true;
}

static __always_inline bool wanted_cgroup(void)
{
	if (!filter.cgroup)
		return true;
	if (filter.cgroup_level != (u32)-1)
		return bpf_get_current_ancestor_cgroup_id(filter.cgroup_level) == filter.cgroup;
	for (u32 level = 0; level < 32; level++) {
		u64 id = bpf_get_current_ancestor_cgroup_id(level);

		if (!id || id == filter.cgroup)
			return id;
	}
	return false;
}

/*
 * Is the current task one the user asked for? What is not asked about costs nothing: `filter` is
 * constant, and the verifier drops the code, if not the loads that it asked.
 */
static __always_inline bool wanted(void)
{
	if (!filter.particular)
		return true;
	if ((filter.pids.n || filter.tids.n) && !wanted_ids(current_ids()))
		return false;
	if (filter.uid_plus_1 && filter.uid_plus_1 != current_uid() + 1)
		return false;
	if (filter.ppid) {
		struct task_struct *task = (void *)bpf_get_current_task();
		struct task_struct *parent = BPF_CORE_READ(task, real_parent);

		if (ids_of(parent, BPF_CORE_READ(parent, tgid), 0).pid != filter.ppid)
			return false;
	}
	if (filter.comm_len) {
		char comm[COMM_LEN];

		current_comm(comm);
		if (!comm_contains(comm))
			return false;
	}
	if ((filter.cgroupmap || filter.mntnsmap) && !mapped((void *)bpf_get_current_task()))
		return false;
	return wanted_cgroup();
}

/*
 * A field of a pointer that is typed (an argument of tp_btf, fentry, fexit: read directly, which is
 * faster and allowed under lockdown) or not (kprobe, raw_tp). `typed` is a constant.
 */
#define FIELD(typed, p, f) ((typed) ? (p)->f : BPF_CORE_READ(p, f))

/* The same for a task that need not be current: one being woken or switched to. */
static __always_inline bool wanted_task(struct task_struct *task, bool typed)
{
	if (!filter.particular)
		return true;
	if (filter.pids.n || filter.tids.n) {
		u32 pid = FIELD(typed, task, tgid), tid = FIELD(typed, task, pid);

		if (!wanted_ids(ids_of(task, pid, tid)))
			return false;
	}
	if (filter.uid_plus_1 && filter.uid_plus_1 != BPF_CORE_READ(task, cred, uid.val) + 1)
		return false;
	if (filter.ppid) {
		struct task_struct *parent = BPF_CORE_READ(task, real_parent);

		if (ids_of(parent, BPF_CORE_READ(parent, tgid), 0).pid != filter.ppid)
			return false;
	}
	if (filter.comm_len) {
		char comm[COMM_LEN];

		COMM_OF(comm, task);
		if (!comm_contains(comm))
			return false;
	}
	if ((filter.cgroupmap || filter.mntnsmap) && !mapped(task))
		return false;
	return wanted_cgroup_of(task);
}

static __always_inline void task_now(struct bcc_task *t)
{
	struct ids ids = current_ids();

	t->time = bpf_ktime_get_ns();
	t->pid = ids.pid;
	t->tid = ids.tid;
	t->uid = current_uid();
	t->unused = 0;
	current_comm(t->comm);
}

/* The time since `start`; false, and counted, if that is after now. */
static __always_inline bool elapsed(u64 start, u64 *ns)
{
	return between(start, bpf_ktime_get_ns(), ns);
}

#endif
