// Scheduling: running and sleeping by turns, with the kernel's own account of it.
#include "work.h"
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void print_list(const char *name, const long *values, long count)
{
	printf(" %s ", name);
	for (long i = 0; i < count; i++)
		printf("%s%ld", i ? "," : "", values[i]);
}

// The kernel's account since the thread began: time on a CPU, time waiting for one, how often it
// got one, and how often it left one to sleep and against its will.
struct account {
	unsigned long long run_ns, wait_ns, slices, slept, preempted;
};

static struct account account(void)
{
	FILE *file = fopen("/proc/thread-self/schedstat", "r");
	struct account now;
	struct rusage used;

	if (!file || fscanf(file, "%llu %llu %llu", &now.run_ns, &now.wait_ns, &now.slices) != 3)
		fail("/proc/thread-self/schedstat");
	fclose(file);
	getrusage(RUSAGE_THREAD, &used);
	now.slept = used.ru_nvcsw;
	now.preempted = used.ru_nivcsw;
	return now;
}

static void print_account(const char *when, struct account a)
{
	printf(" %srun_ns %llu %swait_ns %llu %sslices %llu %sslept %llu %spreempted %llu", when,
	       a.run_ns, when, a.wait_ns, when, a.slices, when, a.slept, when, a.preempted);
}

WORK(burst, "N ON OFF [CPU]: N times run ON us and then sleep OFF us (0: not at all), on that CPU")
{
	long count = number(argc, argv, 1, 1), on = number(argc, argv, 2, 1000);
	long off = number(argc, argv, 3, 0), cpu = number(argc, argv, 4, -1);
	static __thread long ran[10000], slept[10000];
	struct account before = account();
	struct stat ns;

	if (count > 10000)
		return 2;
	if (cpu >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			fail("sched_setaffinity");
	}
	for (long i = 0; i < count; i++) {
		long begin = now_us(), end;

		while (now_us() < begin + on)
			;
		end = now_us();
		ran[i] = end - begin;
		if (off)
			usleep(off);
		slept[i] = now_us() - end;
	}
	if (stat("/proc/self/ns/pid", &ns))
		fail("/proc/self/ns/pid");
	flockfile(stdout); /* a line a thread */
	printf("pid %d pidns %ld", getpid(), (long)ns.st_ino);
	print_account("before_", before);
	print_account("", account());
	print_list("ran_us", ran, count);
	print_list("slept_us", slept, count);
	printf("\n");
	funlockfile(stdout);
	return 0;
}
