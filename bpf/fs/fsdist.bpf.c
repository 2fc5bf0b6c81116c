/* Time in the functions of a file system, by operation. */
#include "bcctool.bpf.h"
#include "fsop.bpf.h"
#include "hist.bpf.h"
#include "fsdist.h"

const volatile struct fsdist_conf conf;
TABLE(hists, u32, struct bcc_hist, 8);

static __always_inline int count(u32 kind, u64 ns)
{
	struct bcc_hist *hist = hists_at(&kind);

	if (hist)
		hist_add(hist, ns / (conf.ms ? 1000000 : 1000));
	return 0;
}

FSOPS(count)
