// Time: sleeping, burning CPU, system calls by the number.
#include "work.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

WORK(sleep, "N US: sleep N times for US microseconds")
{
	long count = number(argc, argv, 1, 1), us = number(argc, argv, 2, 1000);
	long begin = now_us();

	for (long i = 0; i < count; i++)
		usleep(us);
	printf("pid %d sleeps %ld us %ld\n", getpid(), count, now_us() - begin);
	return 0;
}

__attribute__((noinline)) long work_spin_here(long until)
{
	long turns = 0;

	while (now_us() < until)
		turns++;
	return turns;
}

WORK(spin, "MS [CPU]: burn a CPU's time in the function work_spin_here, bound to CPU if given")
{
	long ms = number(argc, argv, 1, 100), cpu = number(argc, argv, 2, -1);
	long turns;

	if (cpu >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			fail("sched_setaffinity");
	}
	turns = work_spin_here(now_us() + ms * 1000);
	printf("pid %d turns %ld\n", getpid(), turns);
	return 0;
}

WORK(syscalls, "N [NUMBER]: N system calls of that number, without arguments; getppid otherwise")
{
	long count = number(argc, argv, 1, 1), call = number(argc, argv, 2, SYS_getppid);
	long failed = 0;

	for (long i = 0; i < count; i++)
		failed += syscall(call, 0, 0, 0, 0, 0, 0) < 0;
	printf("pid %d calls %ld failed %ld\n", getpid(), count, failed);
	return 0;
}

struct job {
	int argc;
	char **argv;
};

extern const struct work *const __start_works[], *const __stop_works[];

static void *run_job(void *argument)
{
	struct job *job = argument;

	for (const struct work *const *work = __start_works; work < __stop_works; work++)
		if (!strcmp((*work)->name, job->argv[0]))
			return (void *)(long)(*work)->run(job->argc, job->argv);
	return (void *)2L;
}

WORK(threads, "N WORKLOAD ARGS...: the workload in N threads at once, named work-0, work-1, ...")
{
	long count = number(argc, argv, 1, 1);
	struct job job = { argc - 2, argv + 2 };
	pthread_t threads[256];
	long code = 0;

	if (count > 256 || argc < 3)
		return 2;
	for (long i = 0; i < count; i++) {
		char name[16];

		if (pthread_create(&threads[i], NULL, run_job, &job))
			fail("pthread_create");
		snprintf(name, sizeof(name), "work-%d", (int)i % 256);
		pthread_setname_np(threads[i], name);
	}
	for (long i = 0; i < count; i++) {
		void *result;

		pthread_join(threads[i], &result);
		code |= (long)result;
	}
	return code;
}

WORK(fork, "N [MS]: N children one after the other, each alive for MS milliseconds")
{
	long count = number(argc, argv, 1, 1), ms = number(argc, argv, 2, 0);

	printf("pid %d children ", getpid());
	fflush(stdout);
	for (long i = 0; i < count; i++) {
		int pid = fork();

		if (!pid) {
			usleep(ms * 1000);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		printf("%s%d", i ? "," : "", pid);
	}
	printf("\n");
	return 0;
}
