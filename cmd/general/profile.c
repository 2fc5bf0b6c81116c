#include <errno.h>
#include <stdlib.h>
#include <linux/perf_event.h>

#define ROW struct profile_row
#include "applet.h"
#include "profile.h"
#include "stacks.h"

static struct profile_conf conf;
static bool user_only, kernel_only;
static u64 hz, period;
static u32 keys;
static int cpu = -1;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_TID('L'),
	OPT('U', "user-stacks-only", NULL, &user_only, "show user frames only"),
	OPT('K', "kernel-stacks-only", NULL, &kernel_only, "show kernel frames only"),
	OPT('F', "frequency", "HZ", &hz, "sample this often a second (default 49)", .min = 1,
	    .max = 1000000),
	OPT('c', "count", "N", &period,
	    "sample each time a CPU has spent N cycles; by the clock, N nanoseconds", .min = 1,
	    .max = 1ull << 62),
	OPT_DELIMITED('d'),
	OPT('a', "annotations", NULL, &common.annotations, "add _[k] to kernel frames"),
	OPT('I', "include-idle", NULL, &conf.idle, "sample idle CPUs, too"),
	OPT_FOLDED('f'),
	OPT(0, "hash-storage-size", "N", &keys,
	    "count this many different rows at a time (default 40960)", .min = 1, .max = 1 << 22),
	OPT_STACKS,
	OPT_UNWIND,
	OPT('C', "cpu", "CPU", &cpu, "sample this CPU only", .max = 8191),
	OPT('A', "address", NULL, &common.addresses, "print raw addresses before the names"),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.kernel, "KERNEL", 0, "kernel frames, the innermost first", .as = AS_KSTACK,
	    .show = &conf.kernel_stacks),
	COL(key.user, "USER", 0, "user frames, the innermost first", .as = AS_USTACK,
	    .show = &conf.user_stacks),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(key.pid, "PID", 0, "process ID"),
	COL(count, "COUNT", 0, "how many samples"),
	{ 0 },
};

static const struct example examples[] = {
	{ "5", "which code runs, by stack, for five seconds" },
	{ "-af 30", "half a minute for a flame graph, with kernel frames marked" },
	{ "--flamegraph cpu.svg 30", "the flame graph itself" },
	{ "-F 99 -p 181", "process 181, 99 times a second, until Ctrl-C" },
	{ "-C 0 -I 5", "CPU 0, and when it is idle" },
	{ "--pprof cpu.pb.gz 10", "a profile for pprof" },
	{ 0 },
};

static void check(void)
{
	if (common.filter.pids.n && common.filter.tids.n)
		opt_error("-p and -L exclude each other");
	if (user_only && kernel_only)
		opt_error("-U and -K exclude each other");
	if (hz && period)
		opt_error("-F and -c exclude each other");
	if (!period)
		hz = hz ?: 49; /* not in step with what happens fifty or a hundred times */
	conf.kernel_stacks = !user_only;
	conf.user_stacks = !kernel_only;
	if (user_only || kernel_only)
		common.delimited = false;
}

static void prepare(struct run *run)
{
	if (keys)
		rows_limit(run, "counts", keys);
}

/* Why the kernel refuses to sample. */
static void refused(int err)
{
	char *limit = read_file("/proc/sys/kernel/perf_event_max_sample_rate", 64, NULL);

	if (cpu >= libbpf_num_possible_cpus() || (err == -ENODEV && cpu >= 0))
		die("CPU %d is not there, or off", cpu);
	if (err == -EINVAL && limit && hz > strtoull(limit, NULL, 10))
		die("-F %llu: sysctl kernel.perf_event_max_sample_rate allows %llu", hz,
		    strtoull(limit, NULL, 10));
	die_err(err, "cannot sample the CPUs");
}

/* By the cycles of the CPU, or where they cannot be counted, as in most virtual machines, its
 * clock. */
static void attached(struct run *run)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.freq = !period,
		.sample_freq = period ?: hz,
		.exclude_idle = !conf.idle,
	};
	int err = run_perf(run, "sample", &attr, cpu);

	if (err == -ENOENT || err == -EOPNOTSUPP) {
		warn("no counter of CPU cycles here: sampling by the clock%s",
		     period ? ", -c is nanoseconds" : "");
		attr.type = PERF_TYPE_SOFTWARE;
		attr.config = PERF_COUNT_SW_CPU_CLOCK;
		err = run_perf(run, "sample", &attr, cpu);
	}
	if (err)
		refused(err);
}

static void banner(struct buf *b)
{
	if (common.folded)
		return;
	if (period)
		buf_fmt(b, "Sampling at every %llu events of ", period);
	else
		buf_fmt(b, "Sampling at %llu Hertz of ", hz);
	stacks_whose(b, "all threads", user_only, kernel_only);
	if (cpu >= 0)
		buf_fmt(b, " on CPU#%d", cpu);
	if (common.duration)
		buf_fmt(b, " for %d secs.\n", common.duration);
	else
		buf_str(b, "... Hit Ctrl-C to end.\n");
}

static const struct applet profile = {
	.name = "profile",
	.summary = "sample which code runs, by stack",
	.doc = "Interrupts every CPU at a steady rate and counts the stacks it finds there, the "
	       "kernel's and the user's. Where a stack has half the samples, half the time of the "
	       "CPUs is spent. Idle CPUs are left out.\n\n"
	       "User stacks are walked by frame pointers; those that end early are marked "
	       "[truncated], and counted at the end. Names are looked up at the end; those of "
	       "processes that live for less than 20 ms may be missing.\n\n"
	       "Costs little, and the same whatever runs: a sample takes a few microseconds. Code "
	       "that runs with interrupts off is seen where they are on again, unless the machine "
	       "counts cycles.",
	.positionals = ARGS_DURATION,
	.options = options,
	.columns = columns,
	.examples = examples,
	CONF(conf),
	.check = check,
	.prepare = prepare,
	.attached = attached,
	.banner_text = banner,
	VALUE(count),
	.sort = "count",
	.ascending = true,
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(profile);
