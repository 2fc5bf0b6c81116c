// Calls by the number, whose sums tracers are held against.
#include "work.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

WORK(vfs, "FOLDER N: N of each: reads, writes, fsyncs, opens, creates by mknod, unlinks, mkdirs, "
	  "rmdirs; "
	  "the write of this report comes on top")
{
	const char *folder = text(argc, argv, 1, NULL);
	long count = number(argc, argv, 2, 1);
	char path[4096], c = 'x';

	for (long i = 0; i < count; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/file", folder);
		if (mknod(path, S_IFREG | 0600, 0))
			fail(path);
		fd = open(path, O_RDWR);
		if (fd < 0 || write(fd, &c, 1) != 1 || fsync(fd) || read(fd, &c, 1) || close(fd))
			fail(path);
		if (unlink(path))
			fail(path);
		snprintf(path, sizeof(path), "%s/folder", folder);
		if (mkdir(path, 0700) || rmdir(path))
			fail(path);
	}
	printf("pid %d each %ld\n", getpid(), count);
	return 0;
}

static void *nothing(void *argument)
{
	return argument;
}

WORK(tasks, "N: N children and N threads, one after the other")
{
	long count = number(argc, argv, 1, 1);

	for (long i = 0; i < count; i++) {
		pthread_t thread;
		int pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0 || pthread_create(&thread, NULL, nothing, NULL))
			fail("new task");
		pthread_join(thread, NULL);
		waitpid(pid, NULL, 0);
	}
	printf("pid %d tasks %ld\n", getpid(), 2 * count);
	return 0;
}

static long ns_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - begin->tv_sec) * 1000000000L + now.tv_nsec - begin->tv_nsec;
}

// The times around all calls of a kind are an upper bound of what a tracer can measure.
WORK(calls, "PPIDS SLEEPS MS BADS: that many getppid(), nanosleep() of MS, close(-1); "
	    "nanoseconds of each, measured around the call")
{
	long ppids = number(argc, argv, 1, 1000), sleeps = number(argc, argv, 2, 10);
	long ms = number(argc, argv, 3, 10), bads = number(argc, argv, 4, 0);
	struct timespec begin, nap = { ms / 1000, ms % 1000 * 1000000 };
	long ppid_ns = 0, sleep_ns = 0;

	for (long i = 0; i < ppids; i++) {
		clock_gettime(CLOCK_MONOTONIC, &begin);
		syscall(SYS_getppid);
		ppid_ns += ns_since(&begin);
	}
	for (long i = 0; i < sleeps; i++) {
		clock_gettime(CLOCK_MONOTONIC, &begin);
		syscall(SYS_nanosleep, &nap, NULL);
		sleep_ns += ns_since(&begin);
	}
	for (long i = 0; i < bads; i++)
		if (!close(-1) || errno != EBADF)
			return 1;
	printf("pid %d getppid %ld nanosleep %ld close %ld getppid_ns %ld nanosleep_ns %ld\n",
	       getpid(), ppids, sleeps, bads, ppid_ns, sleep_ns);
	return 0;
}

#ifdef __x86_64__
// 32-bit calls by int 0x80: getppid is 64 there, in 64-bit code semctl's number; mmap2 is 192,
// there lgetxattr's.
WORK(compat_calls,
     "N: N each of getppid() and mmap2() with bad arguments, as a 32-bit program does")
{
	long count = number(argc, argv, 1, 1);

	for (long i = 0; i < count; i++) {
		long result;

		__asm__ volatile("int $0x80"
				 : "=a"(result)
				 : "0"(64L)
				 : "memory", "r8", "r9", "r10", "r11");
		if (result != getppid())
			return 1;
		__asm__ volatile("int $0x80"
				 : "=a"(result)
				 : "0"(192L), "b"(0L), "c"(0L), "d"(0L), "S"(0L), "D"(0L)
				 : "memory", "r8", "r9", "r10", "r11");
		if (result != -EINVAL)
			return 1;
	}
	printf("pid %d calls %ld\n", getpid(), count);
	return 0;
}
#endif
