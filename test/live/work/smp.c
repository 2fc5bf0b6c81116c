// Calls from one CPU to the others, by the number.
#include "work.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *wait_for_ever(void *argument)
{
	pause();
	return argument;
}

WORK(membarrier,
     "N: N expedited membarrier(2) of a process with two threads, and their nanoseconds")
{
	long count = number(argc, argv, 1, 1);
	struct timespec begin, end;
	pthread_t thread;

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		fail("membarrier");
	if (pthread_create(&thread, NULL, wait_for_ever, NULL))
		fail("pthread_create");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (long i = 0; i < count; i++)
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
			fail("membarrier");
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("pid %d ns %ld\n", getpid(),
	       (end.tv_sec - begin.tv_sec) * 1000000000L + end.tv_nsec - begin.tv_nsec);
	return 0;
}
