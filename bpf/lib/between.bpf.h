/* Differences of times. The includer has lose(). */
#ifndef BETWEEN_BPF_H
#define BETWEEN_BPF_H

#include "loss.h"

/*
 * The time from `start` to `end`; false, and counted, if that is before: clocks of two CPUs may
 * differ by a little, and a difference taken as unsigned would be 585 years.
 */
static __always_inline bool between(u64 start, u64 end, u64 *ns)
{
	if (end < start) {
		lose(LOST_CLOCK);
		return false;
	}
	*ns = end - start;
	return true;
}

#endif
