/* pmlock and pmheld: one program, for waiting and for holding. */
#ifndef PMLOCK_H
#define PMLOCK_H

#include "hist.h"
#include "stack.h"

#define PMLOCK_SITES 64 /* a power of two */

enum pmlock_kind {
	PMLOCK_NOTHING,
	PMLOCK_LOCK,   /* asks for a mutex */
	PMLOCK_LOCKED, /* has it if that returns 0 */
	PMLOCK_UNLOCK,
	PMLOCK_WAIT,   /* for a condition: gives the mutex, the second argument, back meanwhile */
	PMLOCK_WAITED, /* has it again, whatever that returns */
};

struct pmlock_conf {
	u8 kind[PMLOCK_SITES]; /* by the number of a site */
	bool held;             /* pmheld */
};

struct pmlock_key {
	u64 lock, user;
	u32 pid, unused;
	char comm[COMM_LEN];
};

struct pmlock_row {
	struct pmlock_key key;
	struct bcc_hist hist;
};

#endif
