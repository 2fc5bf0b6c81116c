/* Each new task, a thread too, once it is made and before it first runs. */
#include "bcctool.bpf.h"

STATS(1);

static __always_inline int count(void)
{
	if (wanted())
		stat_add(0, 1);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(task_new)
{
	return count();
}

SEC("raw_tp/task_newtask")
int task_new_raw(void *ctx)
{
	return count();
}

/* Also those whose making fails later on. */
SEC("kprobe/sched_fork")
int task_fork(void *ctx)
{
	return count();
}
