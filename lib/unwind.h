/*
 * Stacks of code without frame pointers: from a thread's registers and a copy of the top of its
 * stack to return addresses, by the call frame information of what its process has mapped, the vDSO
 * included. Mappings are read when a process is first asked for; its files' information once for
 * all processes. 64-bit processes of this machine only.
 */
#ifndef UNWIND_H
#define UNWIND_H

#include <stddef.h>

#include "ehframe.h"

struct unwind;

/* A thread stopped somewhere. The stack is `size` bytes from where its stack pointer is. */
struct unwind_sample {
	struct cfi_regs regs;
	const u8 *stack;
	u64 size;
};

/* Why there are no more frames. */
enum unwind_end {
	UNWIND_WHOLE, /* the outermost was reached */
	UNWIND_ROOM,
	UNWIND_STACK, /* the next is beyond what was copied */
	UNWIND_CODE,  /* nothing is known of the code: JIT, no information, damaged information */
};

struct unwind *unwind_new(void); /* NULL: out of memory */
void unwind_free(struct unwind *u);

/*
 * Reads what the process has mapped, again if it is known: for when it has executed or mapped
 * something. 0; -ESRCH it is gone, and what was read before still counts; -EACCES, -ENOMEM.
 */
int unwind_refresh(struct unwind *u, u32 pid);

/* Fills ip[], the innermost first; how many: 1 at least if there is room. */
size_t unwind(struct unwind *u, u32 pid, const struct unwind_sample *s, u64 *ip, size_t room,
	      enum unwind_end *end);

/* This machine's registers in such a sample, from the kernel's pt_regs as 64-bit words. */
void unwind_regs(struct cfi_regs *regs, const u64 *pt_regs);

/* The stack pointer among them. */
u64 unwind_sp(const struct cfi_regs *regs);

#endif
