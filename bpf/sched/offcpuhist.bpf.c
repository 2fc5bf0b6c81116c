/* As offcputime: how long each time, not how long in all. */
#include "bcctool.bpf.h"
#include "blocked.bpf.h"
#include "hist.bpf.h"
#include "offcputime.h"

TABLE(hists, struct offcputime_key, struct bcc_hist, 8192);

static __always_inline void back(u64 now, struct task_struct *task, bool typed)
{
	u32 tid = FIELD(typed, task, pid);
	struct offcputime_key key = {};
	struct bcc_hist *hist;
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
		hist = hists_at(&key);
		if (hist)
			hist_add(hist, ns);
	}
	unblock(tid);
}

SWITCHES(back)
