// Known stacks: blocking below functions with names, by paths that can be told apart.
// Compiled with frame pointers (test/CMakeLists.txt); the sleep is a bare system call, so that no
// function of libc, which has none, stands in between.
#include "work.h"
#include "call.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, noipa))

static volatile long keep; // what a function adds to after its calls, so that none is a tail call

static long nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000L + now.tv_nsec;
}

FRAME long work_stack_leaf(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };
	return keep += bare_call(SYS_nanosleep, (long)&t, 0, 0, 0);
}

FRAME long work_stack_middle(long us)
{
	return work_stack_leaf(us) + keep++;
}

FRAME long work_stack_top(long us)
{
	return work_stack_middle(us) + keep++;
}

// One bit of `path` a call: 2^depth stacks that differ.
FRAME long work_stack_left(long path, long depth, long us);
FRAME long work_stack_right(long path, long depth, long us);

FRAME static long descend(long path, long depth, long us)
{
	if (!depth)
		return work_stack_leaf(us) + keep++;
	if (path & 1)
		return work_stack_right(path >> 1, depth - 1, us) + keep++;
	return work_stack_left(path >> 1, depth - 1, us) + keep++;
}

FRAME long work_stack_left(long path, long depth, long us)
{
	return descend(path, depth, us) + keep++;
}

FRAME long work_stack_right(long path, long depth, long us)
{
	return descend(path, depth, us) + keep++;
}

static long voluntary(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

static void report(const char *what, long count, long wall, long cpu, long blocked)
{
	blocked = voluntary() - blocked;
	wall = nanoseconds(CLOCK_MONOTONIC) - wall;
	cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	printf("pid %d tid %ld %s %ld wall_us %ld cpu_us %ld off_us %ld blocked %ld\n", getpid(),
	       (long)syscall(SYS_gettid), what, count, wall / 1000, cpu / 1000, (wall - cpu) / 1000,
	       blocked);
	fflush(stdout);
}

WORK(stack, "N US [COMM]: N sleeps of US microseconds in work_stack_top, _middle and _leaf; "
	    "how long each of the last 16 took, and how often the thread blocked")
{
	long count = number(argc, argv, 1, 1), us = number(argc, argv, 2, 1000);
	long wall, cpu, blocked, each[16];

	if (argc > 3)
		prctl(PR_SET_NAME, argv[3]);
	wall = nanoseconds(CLOCK_MONOTONIC);
	cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
	blocked = voluntary();
	for (long i = 0; i < count; i++) {
		long begin = now_us();

		work_stack_top(us);
		each[i % 16] = now_us() - begin;
	}
	report("sleeps", count, wall, cpu, blocked);
	printf("each ");
	for (long i = 0; i < count && i < 16; i++)
		printf("%ld,", each[i]);
	printf("0\n");
	return 0;
}

WORK(stacks,
     "N US [ROUNDS]: N different stacks, one sleep of US microseconds in each, ROUNDS times")
{
	long count = number(argc, argv, 1, 1), us = number(argc, argv, 2, 1000);
	long rounds = number(argc, argv, 3, 1), depth = 1;
	long wall = nanoseconds(CLOCK_MONOTONIC), cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
	long blocked = voluntary();

	while (1L << depth < count)
		depth++;
	for (long i = 0; i < count * rounds; i++)
		descend(i % count, depth, us);
	report("stacks", count, wall, cpu, blocked);
	return 0;
}
