// Two threads of which one waits for the other, each in functions of its own. Compiled with frame
// pointers (test/CMakeLists.txt); system calls are bare, so that no function of libc stands in
// between.
#include "work.h"
#include "call.h"
#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, noipa))

static volatile long keep; // what a function adds to after its calls, so that none is a tail call
static int wake_pipe[2], back[2];
static long rounds, pause_us, waker_tid;

// gcc gives a function that calls no other no frame, whatever it is told.
FRAME static void nothing(void)
{
	__asm__ volatile("");
}

static inline __attribute__((always_inline)) long call(long number, long a, const void *b, long c)
{
	nothing();
	return bare_call(number, a, (long)b, c, 0);
}

FRAME long work_wake_read(int fd)
{
	char c;

	return call(SYS_read, fd, &c, 1) + keep++;
}

FRAME long work_wake_wait(void)
{
	return work_wake_read(wake_pipe[0]) + keep++;
}

FRAME long work_wake_write(int fd)
{
	return call(SYS_write, fd, "", 1) + keep++;
}

FRAME long work_wake_up(void)
{
	return work_wake_write(wake_pipe[1]) + keep++;
}

static void *waker(void *unused)
{
	struct timespec pause = { 0, pause_us * 1000 };
	char c;

	prctl(PR_SET_NAME, "work-waker");
	waker_tid = syscall(SYS_gettid);
	for (long i = 0; i < rounds; i++) {
		nanosleep(&pause, NULL);
		work_wake_up();
		if (read(back[0], &c, 1) != 1)
			break;
	}
	return unused;
}

static long nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000L + now.tv_nsec;
}

WORK(wake,
     "N US: N times one thread, work-target, waits in work_wake_wait for US microseconds until "
     "another, work-waker, wakes it in work_wake_up")
{
	long wall, cpu, blocked;
	struct rusage usage;
	pthread_t thread;

	rounds = number(argc, argv, 1, 10);
	pause_us = number(argc, argv, 2, 1000);
	if (pipe(wake_pipe) || pipe(back))
		fail("pipe");
	prctl(PR_SET_NAME, "work-target");
	wall = nanoseconds(CLOCK_MONOTONIC);
	if (pthread_create(&thread, NULL, waker, NULL))
		fail("pthread_create");
	getrusage(RUSAGE_THREAD, &usage);
	blocked = usage.ru_nvcsw;
	wall = nanoseconds(CLOCK_MONOTONIC);
	cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
	for (long i = 0; i < rounds; i++) {
		work_wake_wait();
		if (write(back[1], "", 1) != 1)
			fail("write");
	}
	getrusage(RUSAGE_THREAD, &usage);
	blocked = usage.ru_nvcsw - blocked;
	wall = nanoseconds(CLOCK_MONOTONIC) - wall;
	cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	pthread_join(thread, NULL);
	printf("pid %d waker %ld rounds %ld wall_us %ld off_us %ld blocked %ld\n", getpid(),
	       waker_tid, rounds, wall / 1000, (wall - cpu) / 1000, blocked);
	return 0;
}
