/* At every page fault, or one in a number of them on a CPU: the user stack. */
#include "bcctool.bpf.h"
#include "stack.bpf.h"
#include "faults.h"

const volatile struct faults_conf conf;
TABLE(counts, struct faults_key, u64, 16384);

SEC("perf_event")
int fault(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct faults_key key = {};
	u64 *n;

	if (!wanted())
		return 0;
	key.pid = current_pid();
	key.user = stack_user(ctx, BPF_CORE_READ(task, flags), key.pid);
	current_comm(key.comm);
	n = counts_at(&key);
	if (n)
		__sync_fetch_and_add(n, conf.period);
	return 0;
}
