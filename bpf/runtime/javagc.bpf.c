/*
 * Collections of HotSpot from their beginning to their end, which are in one thread: of the whole
 * heap, and in it of each pool, whose beginnings come one after the other before their ends.
 */
#include "bcctool.bpf.h"
#include "site.bpf.h"
#include "usdtarg.bpf.h"
#include "javagc.h"

struct gc_key {
	u64 pool; /* address of its name; 0: the whole */
	u32 tid, unused;
};

struct gc {
	u64 since;
	s64 used, max;
};

const volatile struct javagc_conf conf;
HASH(collections, struct gc_key, struct gc, 10240);
PERCPU(scratch, struct javagc_event);
EVENTS;

static __always_inline u64 argument_of(struct pt_regs *ctx, u32 site, u32 arg)
{
	return usdtarg_get(ctx, &conf.site[site].arg[arg]);
}

static __always_inline void name_of(char name[64], u64 from, u64 len)
{
	if (len > 63)
		len = 63;
	barrier_var(len);
	len &= 63;
	name[0] = '\0';
	if (len && bpf_probe_read_user(name, len, (void *)from))
		lose(LOST_TEXT);
	name[len] = '\0';
}

static __always_inline int end(struct pt_regs *ctx, u32 site, const struct gc_key *key)
{
	struct gc *found = bpf_map_lookup_elem(&collections, key), gc;
	struct javagc_event *e = scratch_here();

	if (!found || !e)
		return 0;
	gc = *found;
	bpf_map_delete_elem(&collections, key);
	if (!elapsed(gc.since, &e->dur_ns) || e->dur_ns < conf.min_ns)
		return 0;
	task_now(&e->task);
	e->task.time = gc.since;
	e->is_pool = key->pool != 0;
	e->unused = 0;
	e->used_before = gc.used;
	e->max_before = gc.max;
	e->used = argument_of(ctx, site, USED);
	e->max = argument_of(ctx, site, MAXIMUM);
	name_of(e->manager, argument_of(ctx, site, MANAGER), argument_of(ctx, site, MANAGER_LEN));
	name_of(e->pool, key->pool, argument_of(ctx, site, POOL_LEN));
	emit(ctx, e, sizeof(*e));
	return 0;
}

static __always_inline int collect(void *ctx, u32 site)
{
	struct gc_key key = { .tid = current_tid() };
	struct gc gc = {};
	u32 what;

	barrier_var(site);
	site &= JAVAGC_SITES - 1;
	what = conf.site[site].what;
	if (!wanted())
		return 0;
	key.pool = argument_of(ctx, site, POOL); /* 0 of the whole, which has none */
	if (what == GC_END || what == POOL_END)
		return end(ctx, site, &key);
	gc.since = bpf_ktime_get_ns();
	gc.used = argument_of(ctx, site, USED);
	gc.max = argument_of(ctx, site, MAXIMUM);
	begin(&collections, &key, &gc);
	return 0;
}

SITES(collect)
