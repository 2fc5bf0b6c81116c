/*
 * The frequency of each CPU, as its driver sets it, sampled: by what runs there, and altogether.
 * User space puts in what it is at first.
 */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "cpufreq.h"

HASH(khz_of, u32, u32, CPUFREQ_CPUS);
TABLE(hists, struct cpufreq_key, struct bcc_hist, 8192);

SEC("raw_tp/cpu_frequency")
int BPF_PROG(changed, unsigned int khz, unsigned int cpu)
{
	bpf_map_update_elem(&khz_of, &cpu, &khz, BPF_ANY);
	return 0;
}

static __always_inline void add(const struct cpufreq_key *key, u32 mhz)
{
	struct bcc_hist *hist = hists_at(key);

	if (hist)
		hist_add_linear(hist, mhz / CPUFREQ_STEP_MHZ);
}

SEC("perf_event")
int sample(void *ctx)
{
	struct cpufreq_key all = { .syswide = 1 }, key = {};
	u32 cpu = bpf_get_smp_processor_id();
	u32 *khz = bpf_map_lookup_elem(&khz_of, &cpu);

	if (!khz || !wanted())
		return 0;
	add(&all, *khz / 1000);
	if (!current_tid()) /* idle */
		return 0;
	current_comm(key.comm);
	add(&key, *khz / 1000);
	return 0;
}
