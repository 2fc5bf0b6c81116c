/* A request counts when it is done, under the thread that submitted it, as large as it was issued.
 */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "iolife.bpf.h"
#include "bitesize.h"

const volatile struct bitesize_conf conf;
TABLE(hists, struct bitesize_key, struct bcc_hist, 10240);

static __always_inline void on_issue(struct request *rq, struct io *io, bool typed)
{
}

static __always_inline void count(void *ctx, struct request *rq, const struct io *io, bool typed)
{
	struct bitesize_key key = {};
	struct bcc_hist *hist;

	if (io->op == IO_OP_FLUSH) /* it has no size */
		return;
	if (io->task.time)
		__builtin_memcpy(key.comm, io->task.comm, sizeof(key.comm));
	else
		key.comm[0] = '?';
	hist = hists_at(&key);
	if (hist)
		hist_add(hist, io->bytes / 1024);
}

IO_LIFE(&conf.disk, on_issue, count)
