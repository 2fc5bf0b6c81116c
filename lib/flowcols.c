#include "flowcols.h"

bool flow_wide, flow_narrow;

void flow_check(const struct flow_filter *filter)
{
	flow_narrow = !flow_wide;
	if (filter->ipv4 && filter->ipv6)
		opt_error("--ipv4 and --ipv6 exclude each other");
}
