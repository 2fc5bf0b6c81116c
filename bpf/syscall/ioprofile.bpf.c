/* System calls that read, write, send or receive, by the user stacks they are made from. */
#include "bcctool.bpf.h"
#include "compat.bpf.h"
#include "stack.bpf.h"
#include "ioprofile.h"

const volatile struct ioprofile_conf conf;
TABLE(counts, struct ioprofile_key, u64, 16384);

static __always_inline int count(void *ctx, u64 number, bool typed)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct ioprofile_key key = { .is_32 = is_32(typed) };
	u64 bits, *n;

	if (number >= IOPROFILE_CALLS)
		return 0;
	barrier_var(number); /* a verifier of 6.1 does not see the bound otherwise */
	bits = conf.wanted[key.is_32 & 1][number / 64 % (IOPROFILE_CALLS / 64)];
	if (!(bits >> number % 64 & 1) || !wanted())
		return 0;
	key.call = number;
	key.pid = current_pid();
	key.user = stack_user(ctx, BPF_CORE_READ(task, flags), key.pid);
	current_comm(key.comm);
	n = counts_at(&key);
	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(enter, struct pt_regs *regs, long number)
{
	return count(ctx, number, true);
}

SEC("raw_tp/sys_enter")
int BPF_PROG(enter_raw, struct pt_regs *regs, long number)
{
	return count(ctx, number, false);
}
