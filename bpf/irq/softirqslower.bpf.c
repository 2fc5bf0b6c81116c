/*
 * The two times of a soft interrupt: from its raising until its handler begins, and that of the
 * handler. All is on one CPU. One that is raised again before it runs waits since the first time.
 */
#include "bcctool.bpf.h"
#include "softirqslower.h"

#define VECTORS 16 /* the kernel has 10 */

struct times {
	u64 raised, begun;
};

const volatile struct softirqslower_conf conf;
COUNTERS(times, struct times, VECTORS);
EVENTS;

static __always_inline void report(void *ctx, u32 stage, u32 vec, u64 since)
{
	struct softirqslower_event e = {};

	if (!since || !elapsed(since, &e.lat_ns) || e.lat_ns < conf.min_ns || !wanted())
		return;
	e.time = since + e.lat_ns;
	e.stage = stage;
	e.softirq = vec;
	e.cpu = bpf_get_smp_processor_id();
	e.pid = current_pid();
	current_comm(e.comm);
	emit(ctx, &e, sizeof(e));
}

static __always_inline struct times *times_here(u32 vec)
{
	if (conf.cpu >= 0 && conf.cpu != (s32)bpf_get_smp_processor_id())
		return NULL;
	return times_of(vec);
}

static __always_inline int on_raise(u32 vec)
{
	struct times *t = times_here(vec);

	if (t && !t->raised)
		t->raised = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int on_entry(void *ctx, u32 vec)
{
	struct times *t = times_here(vec);

	if (!t)
		return 0;
	report(ctx, STAGE_RAISED, vec, t->raised);
	t->raised = 0; /* what its handler raises comes after it */
	t->begun = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int on_exit(void *ctx, u32 vec)
{
	struct times *t = times_here(vec);

	if (!t)
		return 0;
	report(ctx, STAGE_RUN, vec, t->begun);
	t->begun = 0;
	return 0;
}

SEC("tp_btf/softirq_raise")
int BPF_PROG(raised, unsigned int vec)
{
	return on_raise(vec);
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(entry, unsigned int vec)
{
	return on_entry(ctx, vec);
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(end, unsigned int vec)
{
	return on_exit(ctx, vec);
}

SEC("raw_tp/softirq_raise")
int BPF_PROG(raised_raw, unsigned int vec)
{
	return on_raise(vec);
}

SEC("raw_tp/softirq_entry")
int BPF_PROG(entry_raw, unsigned int vec)
{
	return on_entry(ctx, vec);
}

SEC("raw_tp/softirq_exit")
int BPF_PROG(end_raw, unsigned int vec)
{
	return on_exit(ctx, vec);
}
