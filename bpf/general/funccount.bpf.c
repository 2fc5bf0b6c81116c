/* Counts what fires, by the number of the site. */
#include "bcctool.bpf.h"
#include "site.bpf.h"
#include "funccount.h"

const volatile struct funccount_conf conf;
COUNTERS(counters, u64, 1);

static __always_inline int count(void *ctx, u32 site)
{
	u64 *counter;

	if (conf.cpu_plus_1 && bpf_get_smp_processor_id() != conf.cpu_plus_1 - 1)
		return 0;
	if (!wanted())
		return 0;
	counter = counters_of(site);
	if (counter)
		++*counter;
	return 0;
}

SITES(count)
