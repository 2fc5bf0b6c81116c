/*
 * The time that a CPU spends in having others call a function, by that function: from asking them
 * to their answer, where it is waited for. smp_call_function(), on_each_cpu() and their kin all end
 * up in one of two functions.
 */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "smpcalls.h"

/* By task, not by its number: each CPU has an idle task, all of number 0. */
struct call_key {
	u64 task, kind; /* a reschedule may come from an interrupt in one of the others */
};

struct call {
	u64 since, function;
};

enum { SINGLE, MANY, RESCHEDULE };

HASH(calls, struct call_key, struct call, 10240);
TABLE(hists, u64, struct bcc_hist, 1024);

static __always_inline int asked(u64 function, u64 kind)
{
	struct call_key key = { bpf_get_current_task(), kind };
	struct call call = { bpf_ktime_get_ns(), function };

	if (wanted())
		begin_call(&calls, &key, &call);
	return 0;
}

static __always_inline int answered(u64 kind)
{
	struct call_key key = { bpf_get_current_task(), kind };
	struct call *call = bpf_map_lookup_elem(&calls, &key);
	struct bcc_hist *hist;
	u64 ns, function;

	if (!call)
		return 0;
	function = call->function;
	hist = elapsed(call->since, &ns) ? hists_at(&function) : NULL;
	if (hist)
		hist_add(hist, ns);
	bpf_map_delete_elem(&calls, &key);
	return 0;
}

#define SMP_CALL(name, kernel_function, kind)                                                      \
	SEC("fentry/" kernel_function)                                                             \
	int BPF_PROG(name, u64 first, u64 function)                                                \
	{                                                                                          \
		return asked(function, kind);                                                      \
	}                                                                                          \
	SEC("fexit/" kernel_function)                                                              \
	int name##_done(void *ctx)                                                                 \
	{                                                                                          \
		return answered(kind);                                                             \
	}                                                                                          \
	SEC("kprobe/" kernel_function)                                                             \
	int BPF_KPROBE(name##_kprobe, u64 first, u64 function)                                     \
	{                                                                                          \
		return asked(function, kind);                                                      \
	}                                                                                          \
	SEC("kretprobe/" kernel_function)                                                          \
	int name##_kretprobe(void *ctx)                                                            \
	{                                                                                          \
		return answered(kind);                                                             \
	}

SMP_CALL(single, "smp_call_function_single", SINGLE)
SMP_CALL(many, "smp_call_function_many_cond", MANY)
SMP_CALL(many_old, "smp_call_function_many", MANY) /* before 5.7 */

SEC("fentry/native_smp_send_reschedule")
int reschedule(void *ctx)
{
	return asked(bpf_get_func_ip(ctx), RESCHEDULE);
}

SEC("fexit/native_smp_send_reschedule")
int reschedule_done(void *ctx)
{
	return answered(RESCHEDULE);
}
