/* What softirqs and hardirqs have in common. */
#ifndef IRQS_H
#define IRQS_H

#include "hist.h"

struct irqs_conf {
	bool count; /* -C */
	bool dist;  /* -d */
	bool ns;    /* -N */
	s32 cpu;    /* -1: all */
};

struct irqs_total {
	u64 count, total_ns;
};

#endif
