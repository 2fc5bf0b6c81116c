#ifndef HARDIRQS_H
#define HARDIRQS_H

#include "irqs.h"

struct hardirqs_key {
	char hardirq[32];
};

struct hardirqs_row {
	struct hardirqs_key key;
	struct irqs_total total; /* of `rows`; in `hists` it is a histogram */
};

#endif
