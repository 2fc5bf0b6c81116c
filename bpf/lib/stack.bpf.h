/*
 * Stacks, each kept once, until user space takes it, under a hash of 64 bits of its frames. Not
 * bpf_get_stackid(): there stacks whose 32-bit hashes meet are lost or take each other's place.
 * Here, one that finds no room is counted as lost and its id is STACK_LOST, so that what it was
 * taken for still counts.
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
u32 stacks_new; /* since user space took what there is: see lib/stacks.c */

/*
 * `stacks` takes its memory as it goes (see stacks_prepare()), from a few elements that each CPU
 * has at hand and gets more of when the program is over. Where two new stacks meet the last of
 * these, one is kept here.
 */
HASH(stacks_spare, u64, struct bcc_stack, 256);

/*
 * Processes that were seen with a user stack; user space empties it, see run_stacks(). Keyed by the
 * pid as keys of stacks carry it and, below it, some bits that change when it executes a program,
 * or when it maps or unmaps code.
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

/*
 * At the first instruction of a function its caller is not yet in the chain of frame pointers, but
 * the return address is on top of the stack, or in a register. Kernels since 6.12 know that of some
 * functions.
 */
static __always_inline long stack_at_entry(struct pt_regs *ctx, struct bcc_stack *s, u32 size,
					   u64 flags)
{
	long len;

	flags |= 1; /* without the first */
	s->ip[0] = PT_REGS_IP(ctx);
#ifdef __TARGET_ARCH_x86
	if (bpf_probe_read_user(&s->ip[1], sizeof(u64), (void *)PT_REGS_SP(ctx)))
		return sizeof(u64);
#else
	s->ip[1] = ctx->user_regs.regs[30];
#endif
	if (size <= 2 * sizeof(u64))
		return size;
	s->ip[2] = 0;
	len = bpf_get_stack(ctx, &s->ip[2], size - 2 * sizeof(u64), flags);
	if (len > 0 && s->ip[2] == s->ip[1])
		len = bpf_get_stack(ctx, &s->ip[1], size - sizeof(u64), flags) - 8;
	return len < 0 ? 2 * sizeof(u64) : len + 2 * sizeof(u64);
}

const volatile bool stack_unwind;
u64 stack_numbers; /* of copies, so far */

PERCPU(stack_copy_scratch, struct stack_copy);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* see unwound_prepare() */
} stack_copies SEC(".maps");

#ifdef __TARGET_ARCH_x86
#define STACK_REGS sizeof(struct pt_regs)
#define STACK_SP   19 /* arch/x86/include/uapi/asm/ptrace.h */
#else
#define STACK_REGS sizeof(struct user_pt_regs)
#define STACK_SP   31 /* arch/arm64/include/uapi/asm/ptrace.h */
#endif

/* What is needed to unwind in user space where the current task left its own: lib/unwound.c. */
static __always_inline u64 stack_copy(u32 pid)
{
	struct stack_copy *c = stack_copy_scratch_here();
	u64 size = offsetof(struct stack_copy, bytes);

	if (!c || bpf_probe_read_kernel(c->regs, STACK_REGS,
					(void *)bpf_task_pt_regs(bpf_get_current_task_btf())))
		goto lost;
	c->base = c->regs[STACK_SP] & -(u64)STACK_PAGE;
	c->pid = pid;
#pragma unroll
	for (u32 i = 0; i < STACK_PAGES; i++) {
		if (bpf_probe_read_user(c->bytes + i * STACK_PAGE, STACK_PAGE,
					(void *)(c->base + i * STACK_PAGE)))
			break;
		size += STACK_PAGE;
	}
	c->number = __sync_fetch_and_add(&stack_numbers, 1) + 1;
	if (!bpf_ringbuf_output(&stack_copies, c, size, BPF_RB_NO_WAKEUP))
		return c->number;
lost:
	lose(LOST_STACK);
	return STACK_LOST;
}

static __always_inline u64 stack_take(void *ctx, u32 depth, u64 flags, bool at_entry)
{
	struct bcc_stack *s = stack_scratch_here();
	u32 size = depth * sizeof(u64);
	long len;
	u64 id;
	int err; /* before 6.4 the kernel leaves the upper half unset */

	if (!s)
		return STACK_LOST;
	if (size > sizeof(s->ip))
		size = sizeof(s->ip);
	len = at_entry ? stack_at_entry(ctx, s, size, flags)
		       : bpf_get_stack(ctx, s->ip, size, flags);
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
	if (!err)
		__sync_fetch_and_add(&stacks_new, 1);
	else if (err != -EEXIST) { /* there already: another CPU was first */
		lose(LOST_STACK);
		return STACK_LOST;
	}
	return id;
}

/* The id of the kernel's stack at the probe. */
static __always_inline u64 stack_kernel(void *ctx)
{
	return stack_take(ctx, stack_depth + STACK_OURS, 0, false);
}

/* The same where a kernel's function may begin: x86's kernel unwinds from there by itself. */
static __always_inline u64 stack_kernel_at(void *ctx, bool entry)
{
#ifdef __TARGET_ARCH_x86
	entry = false;
#endif
	return stack_take(ctx, stack_depth + STACK_OURS, 0, entry);
}

/*
 * The same in a classic tracepoint: there are no frames of ours on top, and none more
 * than asked for are taken, so that stacks that are alike as far as they are shown are one. On
 * arm64 a tracepoint's begins with who calls its programs, twice: once as where it is, and as a
 * frame.
 */
static __always_inline u64 stack_kernel_bare(void *ctx)
{
#ifdef __TARGET_ARCH_x86
	return stack_take(ctx, stack_depth, 0, false);
#else
	return stack_take(ctx, stack_depth + 1, 1, false);
#endif
}

/* Kernel threads have none, nor have workers of io_uring, which run in a process but never leave.
 */
#define PF_KTHREAD   0x00200000
#define PF_IO_WORKER 0x00000010 /* 5.12+ */

static __always_inline u64 stack_user_at(void *ctx, u32 flags, u32 pid, bool at_entry)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	u32 mapped = (u64)mm >> 6 ^ (mm ? BPF_CORE_READ(mm, exec_vm) * 0x9e3779b1 : 0);
	u64 id, key = (u64)pid << 32 | mapped;
	u8 one = 1;

	if (flags & (PF_KTHREAD | PF_IO_WORKER))
		return STACK_NONE;
	id = stack_unwind ? stack_copy(pid)
			  : stack_take(ctx, stack_depth, BPF_F_USER_STACK, at_entry);
	if (id != STACK_NONE && !bpf_map_lookup_elem(&stack_pids, &key))
		bpf_map_update_elem(&stack_pids, &key, &one, BPF_ANY); /* full: the next time */
	return id;
}

/* The id of the user stack of the current task: its flags, and its pid as events carry it. */
static __always_inline u64 stack_user(void *ctx, u32 flags, u32 pid)
{
	return stack_user_at(ctx, flags, pid, false);
}

/* The same where a user function's first instruction is probed. */
static __always_inline u64 stack_user_entry(struct pt_regs *ctx, u32 flags, u32 pid)
{
	return stack_user_at(ctx, flags, pid, true);
}

#endif
