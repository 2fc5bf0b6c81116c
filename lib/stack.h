/* A stack: bpf/lib/stack.bpf.h takes it, lib/stacks.c gives its frames names. */
#ifndef STACK_H
#define STACK_H

#include "types.h"

#define STACK_DEPTH 127     /* frames: the kernel's default of sysctl kernel.perf_event_max_stack */
#define STACK_OURS  8       /* frames on top of the kernel's that stack_trim() may drop */
#define STACK_NONE  0       /* ids: there is nothing to show */
#define STACK_LOST  (~0ull) /* it could not be taken, or not be kept */

struct bcc_stack {
	u64 n;
	u64 ip[STACK_DEPTH]; /* the innermost first */
};

#define STACK_PAGE  4096
#define STACK_PAGES 5 /* with the rest of the scratch they fit in what a map holds for a CPU */

/* With --unwind: a thread of user space, as it was left. */
struct stack_copy {
	u64 number;   /* from 1 on */
	u64 base;     /* where `bytes` come from: the beginning of the page of the stack pointer */
	u64 regs[34]; /* struct pt_regs, of which arm64 has most */
	u32 pid, unused;
	u8 bytes[STACK_PAGES * STACK_PAGE];
};

#endif
