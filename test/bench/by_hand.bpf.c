/* What `trace 'do_nanosleep(struct hrtimer_sleeper *t) "task: %x", t->task'` does, written by hand.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct hrtimer_sleeper {
	struct task_struct *task;
} __attribute__((preserve_access_index));

struct record {
	u64 time, task;
	u32 pid, tid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

SEC("kprobe/do_nanosleep")
int BPF_KPROBE(by_hand, struct hrtimer_sleeper *t)
{
	struct record *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	u64 id = bpf_get_current_pid_tgid();

	if (!r)
		return 0;
	r->time = bpf_ktime_get_ns();
	r->task = (u64)BPF_CORE_READ(t, task);
	r->pid = id >> 32;
	r->tid = id;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	bpf_ringbuf_submit(r, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
