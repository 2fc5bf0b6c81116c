/* Lookups of names in the cache of directory entries, and those that find nothing. */
#include "bcctool.bpf.h"
#include "dcache.bpf.h"
#include "dcstat.h"

STATS(DC_COUNTS);

static __always_inline int referred(void *ctx, struct nameidata *nd)
{
	if (wanted())
		stat_add(DC_REFS, 1);
	return 0;
}

static __always_inline int searched(struct dentry *found)
{
	if (!wanted())
		return 0;
	stat_add(DC_SLOW, 1);
	if (!found)
		stat_add(DC_MISS, 1);
	return 0;
}

static __always_inline int missed(void *ctx, struct qstr *name)
{
	return searched(NULL);
}

LOOKUP_FAST(referred)
LOOKUP_SLOW(missed)

SEC("fexit/d_lookup")
int BPF_PROG(search, struct dentry *parent, const struct qstr *name, struct dentry *found)
{
	return searched(found);
}

SEC("kretprobe/d_lookup")
int BPF_KRETPROBE(search_probe, struct dentry *found)
{
	return searched(found);
}
