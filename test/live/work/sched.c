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

// What /proc/thread-self/schedstat has is since the thread began: time on a CPU, time waiting for
// one, and how often it got one.
WORK(burst, "N ON OFF [CPU]: N times run ON us and then sleep OFF us (0: not at all), on that CPU")
{
	long count = number(argc, argv, 1, 1), on = number(argc, argv, 2, 1000);
	long off = number(argc, argv, 3, 0), cpu = number(argc, argv, 4, -1);
	unsigned long long run, wait, slices;
	static long ran[10000], slept[10000];
	struct rusage used;
	struct stat ns;
	FILE *file;

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
	file = fopen("/proc/thread-self/schedstat", "r");
	if (!file || fscanf(file, "%llu %llu %llu", &run, &wait, &slices) != 3)
		fail("schedstat");
	getrusage(RUSAGE_THREAD, &used);
	printf("pid %d pidns %ld run_ns %llu wait_ns %llu slices %llu slept %ld preempted %ld",
	       getpid(), (long)ns.st_ino, run, wait, slices, used.ru_nvcsw, used.ru_nivcsw);
	print_list("ran_us", ran, count);
	print_list("slept_us", slept, count);
	printf("\n");
	return 0;
}
