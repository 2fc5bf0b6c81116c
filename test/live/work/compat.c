// System calls made the 32-bit way from a 64-bit program: int $0x80 takes i386's numbers.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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

#if defined(__x86_64__)
static char low_path[4096], low_buffer[512]; // below 4 GB too
#endif

WORK(compat_stat, "PATH: stat64, lstat64, fstatat64, statx and statfs64 of PATH by 32-bit calls")
{
	long failed = 0;

#if defined(__x86_64__)
	snprintf(low_path, sizeof(low_path), "%s", text(argc, argv, 1, "/"));
	failed += call32(195, (long)low_path, (long)low_buffer, 0, 0) < 0;
	failed += call32(196, (long)low_path, (long)low_buffer, 0, 0) < 0;
	failed += call32(300, -100, (long)low_path, (long)low_buffer, 0) < 0;
	failed += call32(383, -100, (long)low_path, 0x6000, 0x7ff) < 0; // no such flags
	failed += call32(268, (long)low_path, 84, (long)low_buffer, 0) < 0;
#endif
	printf("pid %d failed %ld\n", getpid(), failed);
	return 0;
}

WORK(compat_sync, "FILE: fsync, fdatasync, msync and syncfs by 32-bit calls")
{
	long failed = 0;

#if defined(__x86_64__)
	int fd = open(text(argc, argv, 1, "/"), O_RDONLY);

	failed += call32(118, fd, 0, 0, 0) < 0;
	failed += call32(148, fd, 0, 0, 0) < 0;
	failed += call32(144, (long)low_path & ~4095l, 4096, MS_ASYNC, 0) < 0;
	failed += call32(344, fd, 0, 0, 0) < 0;
#endif
	printf("pid %d failed %ld\n", getpid(), failed);
	return 0;
}
