/* Direct reclaim, from begin to end: a task frees memory itself before it is given some. */
#include "bcctool.bpf.h"
#include "drsnoop.h"

struct reclaim {
	u64 since, free_pages;
};

const volatile struct drsnoop_conf conf;
HASH(reclaims, u32, struct reclaim, 10240);
EVENTS;

static __always_inline int on_begin(void)
{
	u32 tid = current_tid(), item = bpf_core_enum_value(enum zone_stat_item, NR_FREE_PAGES);
	struct reclaim r = {};

	if (!wanted())
		return 0;
	if (conf.free_pages)
		bpf_probe_read_kernel(&r.free_pages, sizeof(r.free_pages),
				      (void *)(conf.free_pages + item * sizeof(u64)));
	r.since = bpf_ktime_get_ns();
	begin(&reclaims, &tid, &r);
	return 0;
}

static __always_inline int on_end(void *ctx, u64 pages)
{
	u32 tid = current_tid();
	struct reclaim *r = bpf_map_lookup_elem(&reclaims, &tid);
	struct drsnoop_event e = {};

	if (!r)
		return 0;
	if (elapsed(r->since, &e.lat_ns)) {
		task_now(&e.task);
		e.pages = pages;
		e.free_pages = r->free_pages;
		emit(ctx, &e, sizeof(e));
	}
	bpf_map_delete_elem(&reclaims, &tid);
	return 0;
}

#define RECLAIM(kind)                                                                              \
	SEC("tp_btf/mm_vmscan_" #kind "_reclaim_begin")                                            \
	int BPF_PROG(kind##_begin)                                                                 \
	{                                                                                          \
		return on_begin();                                                                 \
	}                                                                                          \
	SEC("tp_btf/mm_vmscan_" #kind "_reclaim_end")                                              \
	int BPF_PROG(kind##_end, unsigned long pages)                                              \
	{                                                                                          \
		return on_end(ctx, pages);                                                         \
	}                                                                                          \
	SEC("raw_tp/mm_vmscan_" #kind "_reclaim_begin")                                            \
	int BPF_PROG(kind##_begin_raw)                                                             \
	{                                                                                          \
		return on_begin();                                                                 \
	}                                                                                          \
	SEC("raw_tp/mm_vmscan_" #kind "_reclaim_end")                                              \
	int BPF_PROG(kind##_end_raw, unsigned long pages)                                          \
	{                                                                                          \
		return on_end(ctx, pages);                                                         \
	}

RECLAIM(direct)
RECLAIM(memcg)
