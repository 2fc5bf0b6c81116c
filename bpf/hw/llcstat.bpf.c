/* Each time a CPU's counter has counted a period more: the task that runs then gets all of it. */
#include "bcctool.bpf.h"
#include "llcstat.h"

const volatile struct llcstat_conf conf;
TABLE(rows, struct llcstat_key, struct llcstat_value, 16384);

static __always_inline struct llcstat_value *current_value(void)
{
	struct llcstat_key key = {};
	struct ids ids;

	if (!wanted())
		return NULL;
	ids = current_ids();
	key.pid = ids.pid;
	key.tid = conf.by_thread ? ids.tid : ids.pid;
	key.cpu = bpf_get_smp_processor_id();
	current_comm(key.comm);
	return rows_at(&key);
}

SEC("perf_event")
int reference(void *ctx)
{
	struct llcstat_value *v = current_value();

	if (v)
		__sync_fetch_and_add(&v->references, conf.period);
	return 0;
}

SEC("perf_event")
int miss(void *ctx)
{
	struct llcstat_value *v = current_value();

	if (v)
		__sync_fetch_and_add(&v->misses, conf.period);
	return 0;
}
