/*
 * Deletions of files and folders. Whoever includes this has
 *
 *	int goes(struct dentry *dentry, struct dentry *to);	at the beginning; `to` of a rename
 *	int gone(void *ctx, struct dentry *dentry, bool folder, int ret);	at the end
 *
 * On overlayfs they nest, those of the layer below inside: each has a dentry of its own.
 */
#ifndef GONE_BPF_H
#define GONE_BPF_H

#include "idmap.bpf.h"

static __always_inline int goes(struct dentry *dentry, struct dentry *to);
static __always_inline int gone(void *ctx, struct dentry *dentry, bool folder, int ret);

/* The dentry that a probe began with. */
HASH(gone_calls, u32, struct dentry *, 10240);

static __always_inline int gone_probe_done(void *ctx, bool folder, int ret)
{
	u32 tid = current_tid();
	struct dentry **dentry = bpf_map_lookup_elem(&gone_calls, &tid), *of;

	if (!dentry)
		return 0;
	of = *dentry;
	bpf_map_delete_elem(&gone_calls, &tid);
	return gone(ctx, of, folder, ret);
}

/* The programs NAME and NAME_done, NAME_probe and NAME_probe_done of (idmap, dir, dentry, ...). */
#define GOES(name, function, folder, args)                                                         \
	SEC("fentry/" function) int name(u64 *ctx)                                                 \
	{                                                                                          \
		return goes((void *)(IDMAPPED ? argument(ctx, 2) : argument(ctx, 1)), NULL);       \
	}                                                                                          \
	SEC("fexit/" function) int name##_done(u64 *ctx)                                           \
	{                                                                                          \
		return IDMAPPED ? gone(ctx, (void *)argument(ctx, 2), folder, argument(ctx, args)) \
				: gone(ctx, (void *)argument(ctx, 1), folder,                      \
				       argument(ctx, args - 1));                                   \
	}                                                                                          \
	SEC("kprobe/" function) int name##_probe(struct pt_regs *ctx)                              \
	{                                                                                          \
		struct dentry *dentry =                                                            \
			(void *)(IDMAPPED ? PT_REGS_PARM3(ctx) : PT_REGS_PARM2(ctx));              \
		u32 tid = current_tid();                                                           \
                                                                                                   \
		begin(&gone_calls, &tid, &dentry);                                                 \
		return goes(dentry, NULL);                                                         \
	}                                                                                          \
	SEC("kretprobe/" function) int name##_probe_done(struct pt_regs *ctx)                      \
	{                                                                                          \
		return gone_probe_done(ctx, folder, PT_REGS_RC(ctx));                              \
	}

#endif
