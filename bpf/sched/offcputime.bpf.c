/* From being switched out to being switched in, by the stacks of the switch out. */
#include "bcctool.bpf.h"
#include "blocked.bpf.h"
#include "offcputime.h"

TABLE(counts, struct offcputime_key, struct offcputime_value, 16384);

static __always_inline void back(u64 now, struct task_struct *task, bool typed)
{
	u32 tid = FIELD(typed, task, pid);
	struct offcputime_key key = {};
	struct offcputime_value *off;
	struct blocked b;
	struct ids ids;
	u64 ns;

	if (was_blocked(now, tid, &b, &ns)) {
		ids = ids_of(task, FIELD(typed, task, tgid), tid);
		key.kernel = b.kernel;
		key.user = b.user;
		key.pid = ids.pid;
		key.tid = ids.tid;
		COMM_OF(key.comm, task);
		off = counts_at(&key);
		if (off) {
			__sync_fetch_and_add(&off->ns, ns);
			__sync_fetch_and_add(&off->count, 1);
		}
	}
	unblock(tid);
}

SWITCHES(back)
