#ifndef JAVAGC_H
#define JAVAGC_H

#include "task.h"
#include "usdtarg.h"

#define JAVAGC_SITES 8

enum javagc_what { GC_BEGIN, GC_END, POOL_BEGIN, POOL_END };

/* Of the last two: names and their lengths, and bytes. */
enum javagc_arg {
	MANAGER,
	MANAGER_LEN,
	POOL,
	POOL_LEN,
	INITIAL,
	USED,
	COMMITTED,
	MAXIMUM,
	GC_ARGS
};

struct javagc_conf {
	u64 min_ns;
	struct {
		u32 what;
		struct usdtarg arg[GC_ARGS];
	} site[JAVAGC_SITES]; /* by the number of the site */
};

struct javagc_event {
	struct bcc_task task; /* its time is that of the beginning */
	u64 dur_ns;
	u32 is_pool; /* of one pool of memory: the rest is known */
	u32 unused;
	s64 used_before, used, max_before, max;
	char manager[64], pool[64];
};

#endif
