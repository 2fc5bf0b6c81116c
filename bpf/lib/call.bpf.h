/*
 * Calls from entry to return. A call is known by its thread, its function and where on the stack
 * it is: so nested and recursive calls are told apart, and interrupts have stacks of their own. A
 * call whose return the kernel missed is noticed when another is at the same place.
 *
 * Goroutines move from thread to thread, and their stacks to other addresses, but a call keeps its
 * distance from the stack's upper end. Where a stack is too small the function begins a second time
 * once it has moved. Source: Go's runtime/runtime2.go (struct g begins with the bounds of the
 * stack), cmd/compile/abi-internal.md.
 */
#ifndef CALL_BPF_H
#define CALL_BPF_H

#include "bcctool.bpf.h"
#include "call.h"

#ifdef __TARGET_ARCH_x86
#define RETURN_POPS 8 /* the return address, which a call pushed */
#define GO_G(ctx)   ((ctx)->r14)
#else
#define RETURN_POPS 0
#define GO_G(ctx)   ((ctx)->user_regs.regs[28])
#endif

#define EEXIST 17

struct call_key {
	u64 owner; /* the thread; the goroutine */
	u64 place; /* grows with every call inside */
	u32 func;
	u32 pid; /* of goroutines, whose addresses are alike in all processes */
};

u64 missed_returns; /* for lib/patterns.c */

static __always_inline u32 call_func(u32 number)
{
	return number >> CALL_SHIFT;
}

static __always_inline void goroutine(struct pt_regs *ctx, struct call_key *key)
{
	struct {
		u64 low, high;
	} stack;
	u64 g = GO_G(ctx), sp = PT_REGS_SP(ctx);

	if (bpf_probe_read_user(&stack, sizeof(stack), (void *)g))
		return;
	if (sp < stack.low || sp > stack.high)
		return;
	key->owner = g;
	key->place = stack.high - sp;
	key->pid = bpf_get_current_pid_tgid() >> 32;
}

/* The same of its entry and its return. */
static __always_inline struct call_key call_of(struct pt_regs *ctx, u32 number)
{
	struct call_key key = { .owner = current_tid(), .func = call_func(number) };

	key.place = -PT_REGS_SP(ctx);
	if (number & CALL_GO)
		goroutine(ctx, &key);
	else if (number & CALL_RETURN)
		key.place += RETURN_POPS;
	return key;
}

/* Calls in flight, each with a value_t: begun by call_begin(); call_end() takes it out again. */
#define CALLS(value_t, n)                                                                          \
	HASH(calls, struct call_key, value_t, n);                                                  \
	static __always_inline void call_begin(struct call_key *key, value_t *value, u32 number)   \
	{                                                                                          \
		u64 flags = number & CALL_GO ? BPF_ANY : BPF_NOEXIST;                              \
		int err = bpf_map_update_elem(&calls, key, value, flags);                          \
                                                                                                   \
		if (err == -EEXIST) {                                                              \
			__sync_fetch_and_add(&missed_returns, 1);                                  \
			err = bpf_map_update_elem(&calls, key, value, BPF_ANY);                    \
		}                                                                                  \
		if (err)                                                                           \
			lose(LOST_START);                                                          \
	}                                                                                          \
	static __always_inline bool call_end(struct call_key *key, value_t *value)                 \
	{                                                                                          \
		value_t *begun = bpf_map_lookup_elem(&calls, key);                                 \
                                                                                                   \
		if (!begun)                                                                        \
			return false;                                                              \
		*value = *begun;                                                                   \
		bpf_map_delete_elem(&calls, key);                                                  \
		return true;                                                                       \
	}

#endif
