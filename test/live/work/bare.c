// Functions without frame pointers (test/CMakeLists.txt): their stacks cannot be walked by them.
#include "work.h"
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, noipa))

static volatile long keep;

FRAME long work_bare_leaf(void)
{
#ifdef __x86_64__
	long result = SYS_getppid;

	// The register of frame pointers is any other here, and what is in it leads nowhere.
	__asm__ volatile("push %%rbp; mov $1, %%ebp; syscall; pop %%rbp"
			 : "+a"(result)
			 :
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long number __asm__("x8") = SYS_getppid;

	__asm__ volatile("mov x9, x29; mov x29, #1; svc #0; mov x29, x9"
			 :
			 : "r"(number)
			 : "x0", "x9", "memory");
#endif
	return keep++;
}

FRAME long work_bare_top(void)
{
	return work_bare_leaf() + keep++;
}

/* Ten deep, each with another frame; where it ends it sleeps, or goes on working. */
static long work_bare_us;

FRAME void work_bare_end(void)
{
	if (work_bare_us)
		usleep(work_bare_us);
	for (long i = 0; !work_bare_us && i < 2000000; i++)
		keep++;
}

#define STEP(n, next)                                                                              \
	FRAME void work_bare_##n(void)                                                             \
	{                                                                                          \
		char room[16 * n + 8];                                                             \
                                                                                                   \
		__asm__ volatile("" : : "r"(room) : "memory");                                     \
		work_bare_##next();                                                                \
		keep++;                                                                            \
	}
STEP(1, end)
STEP(2, 1)
STEP(3, 2)
STEP(4, 3)
STEP(5, 4)
STEP(6, 5)
STEP(7, 6)
STEP(8, 7)
STEP(9, 8)
STEP(10, 9)

/* Above it is more stack than is copied. */
FRAME void work_bare_wide(void)
{
	char room[32768];

	__asm__ volatile("" : : "r"(room) : "memory");
	work_bare_10();
	keep++;
}

WORK(barely,
     "N US [wide]: ten functions deep without frame pointers, sleep so often for US, or work")
{
	long count = number(argc, argv, 1, 10), begin = now_us();

	work_bare_us = number(argc, argv, 2, 0);
	for (long i = 0; i < count; i++)
		if (argc > 3)
			work_bare_wide();
		else
			work_bare_10();
	printf("pid %d count %ld wall_us %ld\n", getpid(), count, now_us() - begin);
	return 0;
}

WORK(bare, "N: so often a getppid, in functions without frame pointers")
{
	long count = number(argc, argv, 1, 10);

	for (long i = 0; i < count; i++)
		work_bare_top();
	printf("pid %d calls %ld\n", getpid(), count);
	return 0;
}
