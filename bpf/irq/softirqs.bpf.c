/* Time in softirq handlers, by vector. Interrupts that come meanwhile are part of it. */
#include "bcctool.bpf.h"
#include "irqs.bpf.h"
#include "softirqs.h"

COUNTERS(counters, struct irqs_total, SOFTIRQ_VECTORS);
TABLE(hists, u32, struct bcc_hist, SOFTIRQ_VECTORS);

static __always_inline int on_entry(u32 vec)
{
	if (!conf.count)
		irq_begin(vec);
	else if (irq_wanted())
		irq_add(counters_of(vec), 0);
	return 0;
}

static __always_inline int on_exit(u32 vec)
{
	u64 ns;

	if (!irq_end(vec, &ns))
		return 0;
	if (conf.dist)
		irq_add_dist(hists_at(&vec), ns);
	else
		irq_add(counters_of(vec), ns);
	return 0;
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(entry, unsigned int vec)
{
	return on_entry(vec);
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(end, unsigned int vec)
{
	return on_exit(vec);
}

SEC("raw_tp/softirq_entry")
int BPF_PROG(entry_raw, unsigned int vec)
{
	return on_entry(vec);
}

SEC("raw_tp/softirq_exit")
int BPF_PROG(end_raw, unsigned int vec)
{
	return on_exit(vec);
}
