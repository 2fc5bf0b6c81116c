/*
 * A system call is counted when it returns; its time is from entry to return. What never returns is
 * not counted (exit), nor is rt_sigreturn, which leaves with another call's registers.
 */
#include "bcctool.bpf.h"
#include "compat.bpf.h"
#include "syscount.h"

const volatile struct syscount_conf conf;
HASH(begun, u32, u64, 65536);
TABLE(rows, struct syscount_key, struct syscount_total, 10240); /* -P */
COUNTERS(counters, struct syscount_total, 2 * SYSCOUNT_CALLS);

#if defined(__TARGET_ARCH_x86)
static __always_inline s32 number_of(struct pt_regs *regs, bool typed)
{
	return typed ? regs->orig_ax : BPF_PROBE_READ(regs, orig_ax);
}
#elif defined(__TARGET_ARCH_arm64)
static __always_inline s32 number_of(struct pt_regs *regs, bool typed)
{
	return typed ? regs->syscallno : BPF_PROBE_READ(regs, syscallno);
}
#endif

/* The entry stays in the map from call to call: cheaper than making and freeing it each time. */
static __always_inline int on_enter(void)
{
	u32 tid = current_tid();
	u64 now = bpf_ktime_get_ns(), *since;

	if (!wanted())
		return 0;
	since = bpf_map_lookup_elem(&begun, &tid);
	if (since)
		*since = now;
	else
		begin(&begun, &tid, &now);
	return 0;
}

/* How long the call took; false if its beginning was not seen. */
static __always_inline bool taken(u64 *ns)
{
	u32 tid = current_tid();
	u64 *since = bpf_map_lookup_elem(&begun, &tid);
	bool ok = since && *since && elapsed(*since, ns);

	if (since)
		*since = 0;
	return ok;
}

static __always_inline int count_call(u32 number, bool compat, u64 ns)
{
	struct syscount_total *total;

	if (number > SYSCOUNT_UNKNOWN)
		number = SYSCOUNT_UNKNOWN;
	total = counters_of(compat ? number + SYSCOUNT_CALLS : number);
	if (!total)
		return 0;
	total->count++;
	total->total_ns += ns;
	return 0;
}

static __always_inline int count_process(u64 ns)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct syscount_key key = { .syscall = -1, .pid = current_pid() };
	struct syscount_total *total = rows_at(&key);

	if (!total)
		return 0;
	__sync_fetch_and_add(&total->count, 1);
	if (conf.latency)
		__sync_fetch_and_add(&total->total_ns, ns);
	COMM_OF(total->comm, task, group_leader); /* the name it has now */
	return 0;
}

static __always_inline int on_exit(struct pt_regs *regs, long ret, bool typed)
{
	s32 number = number_of(regs, typed);
	bool compat;
	u64 ns = 0;

	if (conf.latency && !taken(&ns))
		return 0;
	if (number < 0 || !wanted())
		return 0;
	if (conf.failures && ret >= 0)
		return 0;
	if (conf.err && ret != -conf.err)
		return 0;
	compat = conf.one || !conf.by_process ? is_32(typed) : false;
	if (conf.one && number != (compat ? conf.number_32 : conf.number))
		return 0;
	return conf.by_process ? count_process(ns) : count_call(number, compat, ns);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(enter)
{
	return on_enter();
}

SEC("tp_btf/sys_exit")
int BPF_PROG(leave, struct pt_regs *regs, long ret)
{
	return on_exit(regs, ret, true);
}

SEC("raw_tp/sys_enter")
int BPF_PROG(enter_raw)
{
	return on_enter();
}

SEC("raw_tp/sys_exit")
int BPF_PROG(leave_raw, struct pt_regs *regs, long ret)
{
	return on_exit(regs, ret, false);
}

/* A thread that ends leaves no entry behind. */
static __always_inline int forget(void)
{
	u32 tid = current_tid();

	bpf_map_delete_elem(&begun, &tid);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(ended)
{
	return forget();
}

SEC("raw_tp/sched_process_exit")
int BPF_PROG(ended_raw)
{
	return forget();
}
