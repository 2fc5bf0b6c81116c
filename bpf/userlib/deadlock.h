/* deadlock: which mutexes a thread asks for while it holds others. */
#ifndef DEADLOCK_H
#define DEADLOCK_H

#include "stack.h"

#define DEADLOCK_SITES 64 /* a power of two */
#define DEADLOCK_HELD  16 /* mutexes that a thread holds at a time */

enum deadlock_kind { DEADLOCK_NOTHING, DEADLOCK_LOCK, DEADLOCK_UNLOCK };

struct deadlock_conf {
	u8 kind[DEADLOCK_SITES]; /* by the number of a site */
};

/* An edge of the graph: a thread that held one asked for the other. */
struct deadlock_key {
	u64 held, wanted;
};

struct deadlock_value {
	u64 wanted_at, held_at; /* stacks */
	u32 pid, tid;
	char comm[COMM_LEN];
};

struct deadlock_row {
	struct deadlock_key key;
	struct deadlock_value value;
};

/* Who made a thread. */
struct deadlock_parent {
	u64 user;
	u32 pid, tid;
	char comm[COMM_LEN];
};

#endif
