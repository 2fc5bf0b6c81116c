/* Time from one call to the next, whoever calls. */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "site.bpf.h"
#include "funcinterval.h"

const volatile struct funcinterval_conf conf;
TABLE(hists, u32, struct bcc_hist, 1);

u64 last; /* when it was called */

static __always_inline int measure(void *ctx, u32 site)
{
	struct bcc_hist *hist;
	u64 now, before, ns;
	u32 key = 0;

	if (!wanted())
		return 0;
	now = bpf_ktime_get_ns();
	before = __sync_lock_test_and_set(&last, now);
	if (!before)
		return 0;
	if (!between(before, now, &ns)) /* called on two CPUs at once */
		return 0;
	hist = hists_at(&key);
	if (hist)
		hist_add(hist, ns / conf.unit_ns);
	return 0;
}

SITES(measure)
