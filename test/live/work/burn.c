// Known shares of CPU time, and more stacks than any map holds. Compiled with frame pointers
// (test/CMakeLists.txt); system calls are bare, so that no function of libc stands in between.
#include "work.h"
#include "call.h"
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, noipa))

static volatile long keep; // what a function adds to after its calls, so that none is a tail call

// gcc gives a function that calls no other no frame, whatever it is told.
FRAME static void nothing(void)
{
	__asm__ volatile("");
}

static inline __attribute__((always_inline)) void turn(long turns)
{
	nothing();
	for (long i = 0; i < turns; i++)
		__asm__ volatile("" : : : "memory");
}

FRAME long work_burn_hot(long turns)
{
	turn(turns);
	return keep++;
}

FRAME long work_burn_cold(long turns)
{
	turn(turns);
	return keep++;
}

FRAME long work_burn_both(long turns)
{
	return work_burn_hot(3 * turns) + work_burn_cold(turns) + keep++;
}

static long cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

WORK(burn,
     "MS: burns so many milliseconds of CPU time, three quarters of them in work_burn_hot and a "
     "quarter in work_burn_cold")
{
	long end = cpu_us() + 1000 * number(argc, argv, 1, 1000), begin = cpu_us(), wall = now_us();

	while (cpu_us() < end)
		work_burn_both(200000);
	printf("pid %d cpu_us %ld wall_us %ld\n", getpid(), cpu_us() - begin, now_us() - wall);
	return 0;
}

// A getppid: what the tests count.
static inline __attribute__((always_inline)) void call(void)
{
	nothing();
	bare_call(SYS_getppid, 0, 0, 0, 0);
}

// A hexadecimal digit of `path` a call: 16^depth stacks that differ.
static long (*const many[16])(long path, long depth);

static inline __attribute__((always_inline)) long descend(long path, long depth)
{
	if (depth)
		return many[path & 15](path >> 4, depth - 1) + keep++;
	call();
	return keep++;
}

#define MANY(digit)                                                                                \
	FRAME static long work_many_##digit(long path, long depth)                                 \
	{                                                                                          \
		return descend(path, depth);                                                       \
	}
MANY(0);
MANY(1);
MANY(2);
MANY(3);
MANY(4);
MANY(5);
MANY(6);
MANY(7);
MANY(8);
MANY(9);
MANY(a);
MANY(b);
MANY(c);
MANY(d);
MANY(e);
MANY(f);

static long (*const many[16])(long, long) = {
	work_many_0, work_many_1, work_many_2, work_many_3, work_many_4, work_many_5,
	work_many_6, work_many_7, work_many_8, work_many_9, work_many_a, work_many_b,
	work_many_c, work_many_d, work_many_e, work_many_f,
};

FRAME long work_many_hot_a(void)
{
	call();
	return keep++;
}

FRAME long work_many_hot_b(void)
{
	call();
	return keep++;
}

FRAME long work_many_hot_c(void)
{
	call();
	return keep++;
}

WORK(many, "N EVERY: a getppid in each of N different stacks, and after each EVERY of them one in "
	   "each of three more")
{
	long count = number(argc, argv, 1, 1000), every = number(argc, argv, 2, 10), depth = 1;
	long hot = 0;

	while (1L << 4 * depth < count)
		depth++;
	for (long i = 0; i < count; i++) {
		many[i & 15](i >> 4, depth - 1);
		if (i % every)
			continue;
		work_many_hot_a();
		work_many_hot_b();
		work_many_hot_c();
		hot++;
	}
	printf("pid %d cold %ld hot %ld\n", getpid(), count, hot);
	return 0;
}
