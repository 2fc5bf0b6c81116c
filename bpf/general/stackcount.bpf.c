/* Counts what fires by the stacks it fires in. */
#include "bcctool.bpf.h"
#include "site.bpf.h"
#include "stack.bpf.h"
#include "stackcount.h"

const volatile struct stackcount_conf conf;
TABLE(counts, struct stackcount_key, u64, 16384);

static __always_inline int count(void *ctx, u32 site)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct stackcount_key key = {};
	u32 pid;
	u64 *n;

	if (conf.cpu_plus_1 && bpf_get_smp_processor_id() != conf.cpu_plus_1 - 1)
		return 0;
	if (!wanted())
		return 0;
	pid = current_pid();
	if (conf.kernel_stacks)
		key.kernel = stack_kernel_at(ctx, conf.entries && site == STACKCOUNT_KERNEL_ENTRY);
	if (conf.user_stacks)
		key.user = conf.entries && site == STACKCOUNT_ENTRY
				   ? stack_user_entry(ctx, BPF_CORE_READ(task, flags), pid)
				   : stack_user(ctx, BPF_CORE_READ(task, flags), pid);
	if (conf.by_process || key.user != STACK_NONE)
		key.pid = pid;
	if (conf.by_name)
		current_comm(key.comm);
	n = counts_at(&key);
	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}

SITES(count)
