/* The page cache by who uses it. */
#include "bcctool.bpf.h"
#include "cachetop.h"

TABLE(rows, struct cachetop_key, struct cachetop_value, 10240);

static __always_inline void count(enum pagecache what, u64 pages)
{
	struct cachetop_key key = { .pid = current_pid(), .uid = current_uid() };
	struct cachetop_value *v;

	current_comm(key.comm);
	v = rows_at(&key);
	if (v)
		__sync_fetch_and_add(&v->count[what], pages);
}

#include "pagecache.bpf.h"
