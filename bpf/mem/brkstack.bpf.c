/* Calls of brk(2), by user stack: those that ask for more than the heap has. */
#include "bcctool.bpf.h"
#include "stack.bpf.h"
#include "brkstack.h"

const volatile struct brkstack_conf conf;
TABLE(counts, struct brkstack_key, struct brkstack_value, 16384);

SEC("tracepoint/syscalls/sys_enter_brk")
int brk(struct trace_event_raw_sys_enter *t)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 end = BPF_CORE_READ(task, mm, brk), wish = t->args[0];
	struct brkstack_key key = {};
	struct brkstack_value *v;

	if ((wish <= end && !conf.all) || !wanted())
		return 0;
	key.pid = current_pid();
	key.user = stack_user(t, BPF_CORE_READ(task, flags), key.pid);
	current_comm(key.comm);
	v = counts_at(&key);
	if (v) {
		__sync_fetch_and_add(&v->count, 1);
		if (wish > end)
			__sync_fetch_and_add(&v->bytes, wish - end);
	}
	return 0;
}
