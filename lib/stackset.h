/*
 * Stacks that were taken out of the kernel, by their id, in as many bytes as they have frames. What
 * the kernel's map holds is moved here before it is full, so that its size bounds nothing.
 */
#ifndef STACKSET_H
#define STACKSET_H

#include <stdbool.h>
#include <stddef.h>

#include "stack.h"

struct stackset {
	struct {
		u64 id;    /* STACK_NONE is free */
		size_t at; /* in words */
	} * slots;
	size_t n, room;
	u64 *words; /* of each stack the number of its frames, and these */
	size_t used, words_room;
};

/* Keeps a stack unless there is one of this id. Dies if there is no memory. */
void stackset_add(struct stackset *set, u64 id, const struct bcc_stack *s);

/* False if there is none of this id. */
bool stackset_get(const struct stackset *set, u64 id, struct bcc_stack *s);

void stackset_free(struct stackset *set);

#endif
