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

#endif
