/*
 * The time from an interrupt's beginning to its end. Both are on one CPU, and neither kind
 * interrupts its own kind there, so that each CPU needs to remember one.
 */
#ifndef IRQS_BPF_H
#define IRQS_BPF_H

#include "hist.bpf.h"
#include "irqs.h"

struct irq_begun {
	u64 since, what;
};

const volatile struct irqs_conf conf;
PERCPU(begun, struct irq_begun);

static __always_inline bool irq_wanted(void)
{
	return (conf.cpu < 0 || conf.cpu == (s32)bpf_get_smp_processor_id()) && wanted();
}

static __always_inline void irq_begin(u64 what)
{
	struct irq_begun *b = begun_here();

	if (b) {
		b->what = what;
		b->since = irq_wanted() ? bpf_ktime_get_ns() : 0;
	}
}

/* False if its beginning was not seen, or not wanted. */
static __always_inline bool irq_end(u64 what, u64 *ns)
{
	struct irq_begun *b = begun_here();
	bool ok = b && b->since && b->what == what && elapsed(b->since, ns);

	if (b)
		b->since = 0;
	return ok;
}

static __always_inline void irq_add(struct irqs_total *total, u64 ns)
{
	if (total) {
		__sync_fetch_and_add(&total->count, 1);
		__sync_fetch_and_add(&total->total_ns, ns);
	}
}

static __always_inline void irq_add_dist(struct bcc_hist *hist, u64 ns)
{
	if (hist)
		hist_add(hist, ns / (conf.ns ? 1 : 1000));
}

#endif
