// System calls made the 32-bit way from a 64-bit program: int $0x80 takes i386's numbers.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "work.h"

#if defined(__x86_64__)
static long call32(long number, long a, long b, long c, long d)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}
#endif

static char siginfo[128]; // below 4 GB in a static program

WORK(compat_kill, "N: send signal 0 to itself N times by each of five 32-bit calls")
{
	long count = number(argc, argv, 1, 1), failed = 0;

#if defined(__x86_64__)
	siginfo[8] = SI_QUEUE;
	memset(siginfo + 9, 0xff, 3);
	for (long i = 0; i < count; i++) {
		failed += call32(37, getpid(), 0, 0, 0) < 0;
		failed += call32(238, getpid(), 0, 0, 0) < 0;
		failed += call32(270, getpid(), getpid(), 0, 0) < 0;
		failed += call32(178, getpid(), 0, (long)siginfo, 0) < 0;
		failed += call32(335, getpid(), getpid(), 0, (long)siginfo) < 0;
	}
#endif
	printf("pid %d sent %ld failed %ld\n", getpid(), 5 * count - failed, failed);
	return 0;
}
