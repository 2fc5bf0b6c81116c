/*
 * On-CPU: from being switched in to being switched out. A CPU runs one thread at a time, so the
 * start is kept per CPU, and there is nothing to run full or to leak.
 * Off-CPU (-O): from being switched out, for whatever reason, to being switched in.
 */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "state.bpf.h"
#include "cpudist.h"

struct running {
	u64 since;
	u32 tid;
};

#define IDLE 0x80000000 /* | CPU: in place of the tid 0 of idle threads */

const volatile struct cpudist_conf conf;
PERCPU(running, struct running);
HASH(off, u32, u64, 65536);
TABLE(hists, struct cpudist_key, struct cpudist_value, 10240);

static __always_inline bool wanted_thread(struct task_struct *task, u32 tid, bool typed)
{
	return (tid || conf.idle) && wanted_task(task, typed);
}

static __always_inline void record(struct task_struct *task, u32 tid, u64 ns, bool typed)
{
	struct ids ids = ids_of(task, FIELD(typed, task, tgid), tid);
	struct cpudist_key key = {};
	struct cpudist_value *v;

	if (conf.by_pid)
		key.pid = ids.pid;
	if (conf.by_tid)
		key.tid = ids.tid;
	if (!tid && (conf.by_pid || conf.by_tid))
		key.idle_cpu_plus_1 = bpf_get_smp_processor_id() + 1;
	v = hists_at(&key);
	if (!v)
		return;
	hist_add(&v->hist, ns / (conf.ms ? 1000000 : 1000));
	__sync_fetch_and_add(&v->total_ns, ns);
	if (conf.by_tid)
		COMM_OF(v->comm, task);
	else if (conf.by_pid)
		COMM_OF(v->comm, task, group_leader);
}

static __always_inline void on_cpu(struct task_struct *prev, struct task_struct *next, bool typed)
{
	u32 tid = FIELD(typed, prev, pid);
	struct running *r = running_here();
	u64 ns, now = bpf_ktime_get_ns(); /* where one ends the next begins: our own time is not
					     lost */

	if (!r)
		return;
	if (r->since && r->tid == tid && wanted_thread(prev, tid, typed) &&
	    between(r->since, now, &ns))
		record(prev, tid, ns, typed);
	r->since = now;
	r->tid = FIELD(typed, next, pid);
}

static __always_inline void off_cpu(struct task_struct *prev, struct task_struct *next, bool typed)
{
	u32 out = FIELD(typed, prev, pid), in = FIELD(typed, next, pid), key;
	u64 now = bpf_ktime_get_ns(), *since, ns;

	if (wanted_thread(prev, out, typed) && !(task_state(prev, typed) & TASK_DEAD)) {
		key = out ?: IDLE | bpf_get_smp_processor_id();
		begin(&off, &key, &now);
	}
	key = in ?: IDLE | bpf_get_smp_processor_id();
	since = bpf_map_lookup_elem(&off, &key);
	if (!since)
		return;
	if (elapsed(*since, &ns))
		record(next, in, ns, typed);
	bpf_map_delete_elem(&off, &key);
}

static __always_inline int on_switch(struct task_struct *prev, struct task_struct *next, bool typed)
{
	if (conf.off_cpu)
		off_cpu(prev, next, typed);
	else
		on_cpu(prev, next, typed);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switched, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return on_switch(prev, next, true);
}

SEC("raw_tp/sched_switch")
int BPF_PROG(switched_raw, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return on_switch(prev, next, false);
}
