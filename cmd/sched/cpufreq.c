#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>

#define ROW struct cpufreq_row
#include "applet.h"
#include "cpufreq.h"

static u64 hz = 99;

static const struct opt options[] = {
	OPT_DURATION('d'),
	OPT('f', "frequency", "HZ", &hz, "sample so many times a second (default 99)", .min = 1,
	    .max = 10000),
	OPT_CGROUP('c'),
	{ 0 },
};

static const struct column columns[] = {
	COL_DATA(key.syswide, "1: all threads and idle CPUs together, the last histogram"),
	COL(key.comm, "COMM", 0, "thread name; empty of all together"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "frequencies by thread name and altogether, at Ctrl-C" },
	{ "-d 5", "for five seconds" },
	{ "-d 5 -f 199", "with 199 samples a second" },
	{ "-c /sys/fs/cgroup/system.slice", "threads of a control group" },
	{ 0 },
};

/* In kHz; 0: this CPU has no driver, or is off. Source: admin-guide/pm/cpufreq.rst. */
static u32 frequency_of(u32 cpu)
{
	char *path = xasprintf("/sys/devices/system/cpu/cpu%u/cpufreq/scaling_cur_freq", cpu);
	char *text = read_file(path, 64, NULL);
	u32 khz = text ? strtoul(text, NULL, 10) : 0;

	free(text);
	free(path);
	return khz;
}

static u32 cpus(void)
{
	int n = libbpf_num_possible_cpus();

	return n < 0 ? 0 : n < CPUFREQ_CPUS ? n : CPUFREQ_CPUS;
}

static void check(void)
{
	for (u32 cpu = 0; cpu < cpus(); cpu++)
		if (frequency_of(cpu))
			return;
	die("no CPU tells its frequency (/sys/devices/system/cpu/cpu*/cpufreq): few virtual "
	    "machines have a driver for it");
}

static void attached(struct run *run)
{
	int map = run_map(run, "khz_of");

	for (u32 cpu = 0; cpu < cpus(); cpu++) {
		u32 khz = frequency_of(cpu);

		if (khz) /* a change that was seen already is newer */
			bpf_map_update_elem(map, &cpu, &khz, BPF_NOEXIST);
	}
	run_sample(run, "sample", hz);
}

static bool print_hist(struct buf *b, const void *row)
{
	struct cpufreq_row r;
	struct buf head = {};

	memcpy(&r, row, sizeof(r));
	if (r.key.syswide)
		buf_str(&head, "syswide");
	else
		buf_safe(&head, r.key.comm, strnlen(r.key.comm, COMM_LEN));
	buf_chr(&head, '\0');
	buf_chr(b, '\n');
	hist_linear_text(b, head.data, CPUFREQ_STEP_MHZ, r.hist.slots);
	buf_free(&head);
	return true;
}

static const struct applet cpufreq = {
	.name = "cpufreq",
	.summary = "sample the frequency of CPUs by thread name",
	.doc = "Samples every CPU 99 times a second, and shows at which frequency it runs, in MHz, "
	       "as histograms by thread name and, last, of everything, idle CPUs too. The "
	       "frequency is what the driver set last; hardware that chooses by itself may differ. "
	       "Where no driver tells it, as in most virtual machines, it says so and ends.\n\n"
	       "Costs next to nothing.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.untyped = true,
	.check = check,
	.attached = attached,
	.banner = "Sampling CPU freq system-wide & by process. Ctrl-C to end.",
	VALUE(hist),
	.unit = { "MHz" },
	.linear = true,
	.step = CPUFREQ_STEP_MHZ,
	.line = print_hist,
	.run = run_hist,
};

APPLET(cpufreq);
