/* The stack of an event that carries it along; an `n` of STACK_LOST says that there is none. */
#ifndef EVENTSTACK_BPF_H
#define EVENTSTACK_BPF_H

#include "stack.h"

/* `flags`: of bpf_get_stack(), BPF_F_USER_STACK for the user's. */
static __always_inline void eventstack_take(void *ctx, struct bcc_stack *s, u64 flags)
{
	long len = bpf_get_stack(ctx, s->ip, sizeof(s->ip), flags);

	if (len < 0)
		lose(LOST_STACK);
	s->n = len < 0 ? STACK_LOST : (u64)len / sizeof(u64);
}

#endif
