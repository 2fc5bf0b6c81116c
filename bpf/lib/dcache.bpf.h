/*
 * The cache of directory entries. A path is looked up name by name with lookup_fast(). What that
 * does not find goes to the file system, by __lookup_slow(), unless it is the last name of an open;
 * that, and names to create or remove, which are looked up under the lock of their folder, go to
 * d_lookup() first.
 */
#ifndef DCACHE_BPF_H
#define DCACHE_BPF_H

/*
 * The programs refer, refer_probe and, for names that compilers give the function when they change
 * it, refer_constprop, refer_isra: they evaluate story(ctx, struct nameidata *).
 */
#define LOOKUP_FAST(story)                                                                         \
	SEC("?fentry/lookup_fast") int BPF_PROG(refer, struct nameidata *nd)                       \
	{                                                                                          \
		return story(ctx, nd);                                                             \
	}                                                                                          \
	LOOKUP_FAST_PROBE(refer_probe, "lookup_fast", story)                                       \
	LOOKUP_FAST_PROBE(refer_constprop, "lookup_fast.constprop.0", story)                       \
	LOOKUP_FAST_PROBE(refer_isra, "lookup_fast.isra.0", story)

#define LOOKUP_FAST_PROBE(program, function, story)                                                \
	SEC("?kprobe/" function) int BPF_KPROBE(program, struct nameidata *nd)                     \
	{                                                                                          \
		return story(ctx, nd);                                                             \
	}

/* The programs go_slow, go_slow_probe: they evaluate story(ctx, const struct qstr *). */
#define LOOKUP_SLOW(story)                                                                         \
	SEC("fentry/__lookup_slow") int BPF_PROG(go_slow, struct qstr *name)                       \
	{                                                                                          \
		return story(ctx, name);                                                           \
	}                                                                                          \
	SEC("kprobe/__lookup_slow") int BPF_KPROBE(go_slow_probe, struct qstr *name)               \
	{                                                                                          \
		return story(ctx, name);                                                           \
	}

#endif
