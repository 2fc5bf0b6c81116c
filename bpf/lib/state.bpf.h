/* What a task that leaves the CPU is about to do. */
#ifndef STATE_BPF_H
#define STATE_BPF_H

/* The state of a task that is switched out: 0 is TASK_RUNNING, it was preempted. */
static __always_inline u32 task_state(struct task_struct *task, bool typed)
{
	if (bpf_core_field_exists(task->__state))
		return FIELD(typed, task, __state);
	return BPF_CORE_READ((struct task_struct___5_13 *)task, state);
}

#define TASK_DEAD 0x80

#endif
