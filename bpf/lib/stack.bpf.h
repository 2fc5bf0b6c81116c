/*
 * Stacks, each kept once under a hash of 64 bits of its frames. Not bpf_get_stackid(): there stacks
 * whose 32-bit hashes meet are lost or take each other's place. Here, one that finds no room is
 * counted as lost and its id is STACK_LOST, so that what it was taken for still counts.
 *
 * For programs that are not preempted: tracepoints, kprobes, samples; not fentry or fexit where the
 * kernel preempts, as two could fill the scratch space of one CPU.
 */
#ifndef STACK_BPF_H
#define STACK_BPF_H

#include "stack.h"

#define ENOMEM 12
#define EEXIST 17

const volatile u32 stack_depth = STACK_DEPTH;

PERCPU(stack_scratch, struct bcc_stack);
HASH(stacks, u64, struct bcc_stack, 16384);

/*
 * `stacks` takes its memory as it goes (see stacks_prepare()), from a few elements that each CPU
 * has at hand and gets more of when the program is over. Where two new stacks meet the last of
 * these, one is kept here.
 */
HASH(stacks_spare, u64, struct bcc_stack, 256);

/*
 * Processes that were seen with a user stack; user space empties it, see run_stacks(). Keyed by the
 * pid as keys of stacks carry it and, below it, some bits that change when it executes a program.
 */
HASH(stack_pids, u64, u8, 1024);

static __noinline u64 stack_hash(const struct bcc_stack *s, u64 n)
{
	u64 hash = n;

	for (u32 i = 0; s && i < STACK_DEPTH && i < n; i++) {
		hash = (hash ^ s->ip[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	return hash == STACK_NONE || hash == STACK_LOST ? 1 : hash;
}

static __always_inline u64 stack_take(void *ctx, u32 depth, u64 flags)
{
	struct bcc_stack *s = stack_scratch_here();
	u32 size = depth * sizeof(u64);
	long len;
	u64 id;
	int err; /* before 6.4 the kernel leaves the upper half unset */

	if (!s)
		return STACK_LOST;
	len = bpf_get_stack(ctx, s->ip, size <= sizeof(s->ip) ? size : sizeof(s->ip), flags);
	if (len <= 0) {
		if (!len)
			return STACK_NONE;
		lose(LOST_STACK);
		return STACK_LOST;
	}
	s->n = len / sizeof(u64);
	id = stack_hash(s, s->n);
	if (bpf_map_lookup_elem(&stacks, &id) || bpf_map_lookup_elem(&stacks_spare, &id))
		return id;
	err = bpf_map_update_elem(&stacks, &id, s, BPF_NOEXIST);
	if (err == -ENOMEM)
		err = bpf_map_update_elem(&stacks_spare, &id, s, BPF_NOEXIST);
	if (err && err != -EEXIST) { /* there already: another CPU was first */
		lose(LOST_STACK);
		return STACK_LOST;
	}
	return id;
}

/* The id of the kernel's stack at the probe. */
static __always_inline u64 stack_kernel(void *ctx)
{
	return stack_take(ctx, stack_depth + STACK_OURS, 0);
}

/* Kernel threads have none, nor have workers of io_uring, which run in a process but never leave.
 */
#define PF_KTHREAD   0x00200000
#define PF_IO_WORKER 0x00000010 /* 5.12+ */

/* The id of the user stack of the current task: its flags, and its pid as events carry it. */
static __always_inline u64 stack_user(void *ctx, u32 flags, u32 pid)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 id, key = (u64)pid << 32 | (u32)((u64)BPF_CORE_READ(task, mm) >> 6);
	u8 one = 1;

	if (flags & (PF_KTHREAD | PF_IO_WORKER))
		return STACK_NONE;
	id = stack_take(ctx, stack_depth, BPF_F_USER_STACK);
	if (id != STACK_NONE && !bpf_map_lookup_elem(&stack_pids, &key))
		bpf_map_update_elem(&stack_pids, &key, &one, BPF_ANY); /* full: the next time */
	return id;
}

#endif
