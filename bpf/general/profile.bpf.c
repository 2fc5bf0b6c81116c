/* At each sample: what runs on this CPU, and by which stacks it came there. */
#include "bcctool.bpf.h"
#include "stack.bpf.h"
#include "profile.h"

const volatile struct profile_conf conf;
TABLE(counts, struct profile_key, u64, 40960);

SEC("perf_event")
int sample(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct profile_key key = {};
	u64 *n;

	if (!current_tid() && !conf.idle)
		return 0;
	if (!wanted())
		return 0;
	key.pid = current_pid();
	current_comm(key.comm);
	if (conf.kernel_stacks)
		key.kernel = stack_kernel(ctx);
	if (conf.user_stacks)
		key.user = stack_user(ctx, BPF_CORE_READ(task, flags), key.pid);
	n = counts_at(&key);
	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}
