/* Time in handlers of hardware interrupts, by the name that a driver gave its handler. */
#include "bcctool.bpf.h"
#include "irqs.bpf.h"
#include "hardirqs.h"

#define IRQ_NONE    0
#define IRQF_SHARED 0x80

TABLE(rows, struct hardirqs_key, struct irqs_total, 1024);
TABLE(hists, struct hardirqs_key, struct bcc_hist, 1024);

static __always_inline int on_entry(struct irqaction *action)
{
	if (!conf.count)
		irq_begin((u64)action);
	return 0;
}

/*
 * On a shared line every handler is called; those that say IRQ_NONE had nothing to do. On a line of
 * its own a handler may say so too: its work had been done with that of an interrupt before.
 */
static __always_inline int on_exit(struct irqaction *action, int ret, bool typed)
{
	struct hardirqs_key key = {};
	u64 ns = 0;

	if (conf.count ? !irq_wanted() : !irq_end((u64)action, &ns))
		return 0;
	if (ret == IRQ_NONE && FIELD(typed, action, flags) & IRQF_SHARED)
		return 0;
	bpf_probe_read_kernel_str(key.hardirq, sizeof(key.hardirq), FIELD(typed, action, name));
	if (conf.dist)
		irq_add_dist(hists_at(&key), ns);
	else
		irq_add(rows_at(&key), ns);
	return 0;
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(entry, int irq, struct irqaction *action)
{
	return on_entry(action);
}

SEC("tp_btf/irq_handler_exit")
int BPF_PROG(end, int irq, struct irqaction *action, int ret)
{
	return on_exit(action, ret, true);
}

SEC("raw_tp/irq_handler_entry")
int BPF_PROG(entry_raw, int irq, struct irqaction *action)
{
	return on_entry(action);
}

SEC("raw_tp/irq_handler_exit")
int BPF_PROG(end_raw, int irq, struct irqaction *action, int ret)
{
	return on_exit(action, ret, false);
}
