/*
 * Time in the functions of a file system, by operation: what NAMEdist.bpf.c is made of, which names
 * the functions. Operations nest (a write of O_SYNC is an fsync too), so each has a time of its
 * own.
 */
#ifndef FSDIST_BPF_H
#define FSDIST_BPF_H

#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "fsdist.h"

struct fsdist_call {
	u32 tid, op;
};

const volatile struct fsdist_conf conf;
HASH(calls, struct fsdist_call, u64, 10240);
TABLE(hists, u32, struct bcc_hist, 8);

static __always_inline int enter(u32 op)
{
	struct fsdist_call call = { current_tid(), op };
	u64 now;

	if (!wanted())
		return 0;
	now = bpf_ktime_get_ns();
	begin(&calls, &call, &now);
	return 0;
}

static __always_inline int leave(u32 op)
{
	struct fsdist_call call = { current_tid(), op };
	u64 *since = bpf_map_lookup_elem(&calls, &call), ns;
	struct bcc_hist *hist;
	bool ok;

	if (!since)
		return 0;
	ok = elapsed(*since, &ns);
	bpf_map_delete_elem(&calls, &call);
	hist = ok ? hists_at(&op) : NULL;
	if (hist)
		hist_add(hist, ns / (conf.ms ? 1000000 : 1000));
	return 0;
}

/* Four programs: OP and OP_done, OP_kprobe and OP_kretprobe. */
#define OPERATION(op, function)                                                                    \
	SEC("fentry/" #function) int op(void *ctx)                                                 \
	{                                                                                          \
		return enter(FSDIST_##op);                                                         \
	}                                                                                          \
	SEC("fexit/" #function) int op##_done(void *ctx)                                           \
	{                                                                                          \
		return leave(FSDIST_##op);                                                         \
	}                                                                                          \
	SEC("kprobe/" #function) int op##_kprobe(void *ctx)                                        \
	{                                                                                          \
		return enter(FSDIST_##op);                                                         \
	}                                                                                          \
	SEC("kretprobe/" #function) int op##_kretprobe(void *ctx)                                  \
	{                                                                                          \
		return leave(FSDIST_##op);                                                         \
	}

#endif
