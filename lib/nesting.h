/*
 * Calls of threads, one in the other: where function 0 calls 1, that one 2, and so on to the last
 * one that was asked for, directly or by way of others, they are a chain. What is known of a call
 * is kept until its chain is whole.
 */
#ifndef NESTING_H
#define NESTING_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

struct nesting;

struct nesting *nesting_new(u32 functions); /* of the chain */
void nesting_free(struct nesting *n);

/*
 * A thread enters a function, which `fits` or is no part of a chain here. True: with this call the
 * chain is whole, and kept() was given what was kept of those before, in their order. Else the
 * event is kept, if the call may become part of one.
 */
bool nesting_enter(struct nesting *n, u64 thread, u32 function, bool fits, const void *event,
		   size_t size, void (*kept)(void *ctx, const void *event, size_t size), void *ctx);

/*
 * It returns from one. True: that call was part of a whole chain. Calls inside it whose return was
 * not seen are over with it.
 */
bool nesting_leave(struct nesting *n, u64 thread, u32 function);

/* Calls that were not followed, since there were too many at once. */
u64 nesting_lost(const struct nesting *n);

#endif
