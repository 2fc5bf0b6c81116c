/* Pages that a fault finds on another node than the task's, from the decision to move them on. */
#include "bcctool.bpf.h"
#include "numamove.h"

HASH(moves, u32, u64, 10240);
STATS(NUMA_COUNTERS);

static __always_inline int on_begin(void)
{
	u32 tid = current_tid();
	u64 now = bpf_ktime_get_ns();

	if (wanted())
		begin(&moves, &tid, &now);
	return 0;
}

static __always_inline int on_end(void)
{
	u32 tid = current_tid();
	u64 *since = bpf_map_lookup_elem(&moves, &tid), ns;

	if (!since)
		return 0;
	if (elapsed(*since, &ns)) {
		stat_add(NUMA_CALLS, 1);
		stat_add(NUMA_NS, ns);
	}
	bpf_map_delete_elem(&moves, &tid);
	return 0;
}

/* Its name since 6.7, and before. */
#define MOVE(what)                                                                                 \
	SEC("fentry/migrate_misplaced_" #what)                                                     \
	int BPF_PROG(what##_begin)                                                                 \
	{                                                                                          \
		return on_begin();                                                                 \
	}                                                                                          \
	SEC("fexit/migrate_misplaced_" #what)                                                      \
	int BPF_PROG(what##_end)                                                                   \
	{                                                                                          \
		return on_end();                                                                   \
	}                                                                                          \
	SEC("kprobe/migrate_misplaced_" #what)                                                     \
	int BPF_KPROBE(what##_begin_probe)                                                         \
	{                                                                                          \
		return on_begin();                                                                 \
	}                                                                                          \
	SEC("kretprobe/migrate_misplaced_" #what)                                                  \
	int BPF_KRETPROBE(what##_end_probe)                                                        \
	{                                                                                          \
		return on_end();                                                                   \
	}

MOVE(folio)
MOVE(page)
