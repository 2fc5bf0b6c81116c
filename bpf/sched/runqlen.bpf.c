/* At each tick of a timer: how many threads wait on the queue of this CPU. */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "runqlen.h"

#define MAX_RT_PRIO   100 /* priorities below are real-time: not on a fair queue */
#define MAX_FAIR_PRIO 139 /* the idle thread's is above */

const volatile struct runqlen_conf conf;
TABLE(hists, u32, struct bcc_hist, 8192);

/* Fair tasks of the group that the current one is in, the current one among them. */
static __always_inline u32 group_length(struct cfs_rq *queue)
{
	u32 n, asleep = 0;

	if (bpf_core_field_exists(queue->nr_running))
		n = BPF_CORE_READ(queue, nr_running);
	else
		n = BPF_CORE_READ((struct cfs_rq___6_15 *)queue, nr_queued);
	if (bpf_core_field_exists(queue->h_nr_delayed))
		asleep = BPF_CORE_READ(queue, h_nr_delayed);
	return n > asleep ? n - asleep : 0;
}

SEC("perf_event")
int sample(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cfs_rq *queue = BPF_CORE_READ(task, se.cfs_rq);
	int prio = BPF_CORE_READ(task, prio);
	struct bcc_hist *hist;
	u32 key = 0, n;

	if (!wanted())
		return 0;
	if (conf.host)
		n = BPF_CORE_READ(queue, rq, nr_running);
	else
		n = group_length(queue);
	if (n && prio <= MAX_FAIR_PRIO && (conf.host || prio >= MAX_RT_PRIO))
		n--; /* it does not wait */
	if (conf.by_cpu)
		key = bpf_get_smp_processor_id();
	hist = hists_at(&key);
	if (hist)
		hist_add_linear(hist, n);
	return 0;
}
