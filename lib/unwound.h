/*
 * --unwind: user stacks of code without frame pointers. The program copies the registers and the
 * top of the stack, under a number of their own (bpf/lib/stack.bpf.h); here they are unwound, by
 * what .eh_frame says, and equal ones get one id.
 */
#ifndef UNWOUND_H
#define UNWOUND_H

#include "rows.h"
#include "stacks.h"

/* Before loading: with --unwind the program copies, else there are no maps for it. */
void unwound_prepare(struct run *run);

/* What the process has mapped, while it lives: whenever that may have changed. */
void unwound_refresh(u32 pid);

/* Takes the copies that there are. */
void unwound_take(struct run *run);

/* In rows fresh from the kernel: ids of stacks in place of the numbers of copies. */
void unwound_settle(struct run *run, struct rows *rows);

/* A stack by the id that it has since unwound_settle(); false: there is none. */
bool unwound_get(u64 id, struct bcc_stack *s, enum stack_end *end);

#endif
