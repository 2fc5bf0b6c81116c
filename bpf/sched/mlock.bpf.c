/* Mutexes, by lock: how long it took to get one, or for how long it was held. */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "stack.bpf.h"
#include "mlock.h"

const volatile struct mlock_conf conf;
TABLE(hists, struct mlock_key, struct bcc_hist, 8192);

static __always_inline bool klock_wanted(u64 lock)
{
	return true;
}

static __always_inline u64 klock_note(void *ctx)
{
	return 0;
}

static __always_inline void add(void *ctx, u64 lock, u64 ns)
{
	struct mlock_key key = { .lock = lock, .kernel = stack_kernel(ctx) };
	struct bcc_hist *hist;

	current_comm(key.comm);
	hist = hists_at(&key);
	if (hist)
		hist_add(hist, ns);
}

static __always_inline void klock_got(void *ctx, u64 lock, u64 note, u64 ns)
{
	if (!conf.held)
		add(ctx, lock, ns);
}

static __always_inline void klock_freed(void *ctx, u64 lock, u64 note, u64 ns)
{
	if (conf.held)
		add(ctx, lock, ns);
}

#include "klock.bpf.h"

KLOCK_MUTEXES
