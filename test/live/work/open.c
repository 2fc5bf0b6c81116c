// Ways of opening a file that are not the usual ones.
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "work.h"

static char shared[4096]; // below 4 GB in a static program: a 32-bit call can reach it

WORK(compat_open, "N PATTERN: open N files by the 32-bit open(2), PATTERN with %d")
{
	long count = number(argc, argv, 1, 1), opened = 0, failed = 0;

#if defined(__x86_64__)
	for (long i = 0; i < count; i++) {
		long ret;

		snprintf(shared, sizeof(shared), text(argc, argv, 2, NULL), (int)i);
		// int $0x80 takes the numbers of i386: open is 5 there (arch/x86/entry/syscalls).
		__asm__ volatile("int $0x80"
				 : "=a"(ret)
				 : "a"(5), "b"(shared), "c"(O_RDONLY), "d"(0)
				 : "memory", "r8", "r9", "r10", "r11");
		if (ret < 0) {
			failed++;
		} else {
			opened++;
			close(ret);
		}
	}
#endif
	printf("pid %d opened %ld failed %ld\n", getpid(), opened, failed);
	return 0;
}

WORK(open_at, "DIR NAME N: openat NAME, relative to a descriptor of DIR, N times, without chdir")
{
	int dir = open(text(argc, argv, 1, NULL), O_PATH | O_DIRECTORY);
	long count = number(argc, argv, 3, 1), opened = 0;

	if (dir < 0)
		fail("open");
	for (long i = 0; i < count; i++) {
		int fd = openat(dir, text(argc, argv, 2, NULL), O_RDONLY);

		if (fd >= 0) {
			opened++;
			close(fd);
		}
	}
	printf("pid %d opened %ld dir %d\n", getpid(), opened, dir);
	return 0;
}

WORK(open_cold, "NAME: openat NAME from a page that was just given back to the kernel's page cache")
{
	// The name is in a file mapping whose page is not in our page table when the call begins.
	char path[] = "/tmp/open_cold.XXXXXX";
	int file = mkstemp(path), fd;
	char *map;

	if (file < 0 || write(file, text(argc, argv, 1, NULL), strlen(argv[1]) + 1) < 0)
		fail(path);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	madvise(map, 4096, MADV_DONTNEED);
	fd = syscall(SYS_openat, AT_FDCWD, map, O_RDONLY, 0);
	unlink(path);
	printf("pid %d fd %d\n", getpid(), fd);
	return 0;
}

WORK(open_zero, "NAME: open NAME with descriptor 0 free, so that the result is 0")
{
	int fd;

	close(0);
	fd = open(text(argc, argv, 1, NULL), O_RDONLY);
	printf("pid %d fd %d\n", getpid(), fd);
	return 0;
}

// One request at a time, without liburing: io_uring_setup(2), io_uring_enter(2).
WORK(uring_open, "N PATTERN: open N files by io_uring, PATTERN with %d")
{
	struct io_uring_params p = {};
	int ring = syscall(SYS_io_uring_setup, 4, &p);
	long count = number(argc, argv, 1, 1), opened = 0, failed = 0;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	char *sq, *cq;

	if (ring < 0)
		fail("io_uring_setup");
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqes), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	sqes = mmap(NULL, p.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED)
		fail("mmap");
	cqes = (void *)(cq + p.cq_off.cqes);
	for (long i = 0; i < count; i++) {
		unsigned *tail = (void *)(sq + p.sq_off.tail), *head = (void *)(cq + p.cq_off.head);
		unsigned slot = *tail & (p.sq_entries - 1);
		char path[256];
		int result;

		snprintf(path, sizeof(path), text(argc, argv, 2, NULL), (int)i);
		memset(&sqes[slot], 0, sizeof(*sqes));
		sqes[slot].opcode = IORING_OP_OPENAT;
		sqes[slot].fd = AT_FDCWD;
		sqes[slot].addr = (unsigned long)path;
		sqes[slot].open_flags = O_RDONLY | O_CLOEXEC;
		((unsigned *)(sq + p.sq_off.array))[slot] = slot;
		__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
		if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
			fail("io_uring_enter");
		result = cqes[*head & (p.cq_entries - 1)].res;
		__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
		if (result < 0) {
			failed++;
		} else {
			opened++;
			close(result);
		}
	}
	printf("pid %d opened %ld failed %ld\n", getpid(), opened, failed);
	return 0;
}

// All start together, so that they race for what a tracer shares between threads.
static pthread_barrier_t together;
static const char *pattern;

static void *open_mine(void *which)
{
	char path[256];

	pthread_barrier_wait(&together);
	for (int i = 0; i < 50; i++) {
		int fd;

		snprintf(path, sizeof(path), pattern, (int)(long)which, i);
		fd = open(path, O_RDONLY);
		if (fd >= 0)
			close(fd);
	}
	return (void *)(long)gettid();
}

WORK(open_threads, "N PATTERN: 50 opens in each of N threads, PATTERN with %d (thread) and %d")
{
	long count = number(argc, argv, 1, 1);
	pthread_t threads[64];

	pattern = text(argc, argv, 2, NULL);
	pthread_barrier_init(&together, NULL, count);
	for (long i = 0; i < count && i < 64; i++)
		pthread_create(&threads[i], NULL, open_mine, (void *)i);
	printf("pid %d tids ", getpid());
	for (long i = 0; i < count && i < 64; i++) {
		void *tid;

		pthread_join(threads[i], &tid);
		printf("%s%ld", i ? "," : "", (long)tid);
	}
	printf("\n");
	return 0;
}
