/*
 * Operations of a file system from entry to return. They nest (a write of O_SYNC is an fsync too),
 * so each kind has a time of its own.
 */
#ifndef FSOP_BPF_H
#define FSOP_BPF_H

#include "fsop.h"

struct fsop_key {
	u32 tid, kind;
};

HASH(fsops, struct fsop_key, u64, 10240);

static __always_inline int fsop_enter(u32 kind)
{
	struct fsop_key key = { current_tid(), kind };
	u64 now = bpf_ktime_get_ns();

	if (wanted())
		begin_call(&fsops, &key, &now);
	return 0;
}

/* How long ago it began; false if it was not seen to. */
static __always_inline bool fsop_end(u32 kind, u64 *ns)
{
	struct fsop_key key = { current_tid(), kind };
	u64 *begun = bpf_map_lookup_elem(&fsops, &key), start;

	if (!begun)
		return false;
	start = *begun;
	bpf_map_delete_elem(&fsops, &key);
	return elapsed(start, ns);
}

/*
 * FSOPS(story): the programs NAME and NAME_done, NAME_probe and NAME_probe_done for read, write,
 * open, open_too, fsync and getattr of the stand-ins of lib/filesystem.h. On return they evaluate
 * story(kind, ns).
 */
#define FSOPS(story)                                                                               \
	FSOP(story, read, FSOP_READ)                                                               \
	FSOP(story, write, FSOP_WRITE)                                                             \
	FSOP(story, open, FSOP_OPEN)                                                               \
	FSOP(story, open_too, FSOP_OPEN)                                                           \
	FSOP(story, fsync, FSOP_FSYNC)                                                             \
	FSOP(story, getattr, FSOP_GETATTR)

#define FSOP(story, name, kind)                                                                    \
	FSOP_ENTER("?fentry/fs_" #name, name, kind)                                                \
	FSOP_DONE(story, "?fexit/fs_" #name, name##_done, kind)                                    \
	FSOP_ENTER("?kprobe/fs_" #name, name##_probe, kind)                                        \
	FSOP_DONE(story, "?kretprobe/fs_" #name, name##_probe_done, kind)

#define FSOP_ENTER(section, name, kind)                                                            \
	SEC(section) int name(void *ctx)                                                           \
	{                                                                                          \
		return fsop_enter(kind);                                                           \
	}

#define FSOP_DONE(story, section, name, kind)                                                      \
	SEC(section) int name(void *ctx)                                                           \
	{                                                                                          \
		u64 ns;                                                                            \
                                                                                                   \
		return fsop_end(kind, &ns) ? story(kind, ns) : 0;                                  \
	}

#endif
