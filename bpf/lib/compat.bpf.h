/* Whether the current system call is one of 32-bit programs: their numbers are others. */
#ifndef COMPAT_BPF_H
#define COMPAT_BPF_H

#if defined(__TARGET_ARCH_x86)
#define TS_COMPAT 2 /* arch/x86/include/asm/thread_info.h */

static __always_inline bool is_32(bool typed)
{
	struct task_struct___x86 *task =
		typed ? (void *)bpf_get_current_task_btf() : (void *)bpf_get_current_task();

	return (typed ? task->thread_info.status : BPF_CORE_READ(task, thread_info.status)) &
	       TS_COMPAT;
}
#elif defined(__TARGET_ARCH_arm64)
#define TIF_32BIT 22 /* arch/arm64/include/asm/thread_info.h */

static __always_inline bool is_32(bool typed)
{
	struct task_struct___arm64 *task =
		typed ? (void *)bpf_get_current_task_btf() : (void *)bpf_get_current_task();

	return (typed ? task->thread_info.flags : BPF_CORE_READ(task, thread_info.flags)) >>
		       TIF_32BIT &
	       1;
}
#endif

#endif
