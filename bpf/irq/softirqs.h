#ifndef SOFTIRQS_H
#define SOFTIRQS_H

#include "irqs.h"

#define SOFTIRQ_VECTORS 32

struct softirqs_row {
	u32 softirq, unused;
	struct irqs_total total; /* of `rows`; in `hists` it is a histogram */
};

#endif
