// Locks that are held for a known time while another thread asks for them.
#include "work.h"
#include "call.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

// One of the kernel: a pipe's mutex, while the page that is written to it comes from a slow disk.
static int pipe_end;
static volatile int done;
static long waits, waited_us; // calls that took 10 ms or longer: they found the mutex held

static void *ask(void *unused)
{
	while (!done) {
		long begin, took;
		int n;

		usleep(2000);
		begin = now_us();
		ioctl(pipe_end, FIONREAD, &n);
		took = now_us() - begin;
		if (took >= 10000) {
			waits++;
			waited_us += took;
		}
	}
	return unused;
}

WORK(pipelock, "DISK N: write N bytes to a pipe, each from a page of the disk that has to be read")
{
	const char *disk = text(argc, argv, 1, NULL);
	long n = number(argc, argv, 2, 1);
	int fd = open(disk, O_RDONLY), ends[2];
	char *map = mmap(NULL, n * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	pthread_t other;
	long begin;

	if (fd < 0 || map == MAP_FAILED || pipe(ends))
		fail(disk);
	madvise(map, n * PAGE, MADV_RANDOM);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	pipe_end = ends[0];
	if (pthread_create(&other, NULL, ask, NULL))
		fail("pthread_create");
	begin = now_us();
	for (long i = 0; i < n; i++)
		if (write(ends[1], map + i * PAGE, 1) != 1)
			fail("write");
	done = 1;
	pthread_join(other, NULL);
	printf("pid %d writes %ld us %ld waits %ld waited_us %ld\n", getpid(), n, now_us() - begin,
	       waits, waited_us);
	return 0;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile long waiter, asked_us, got_us;
static volatile int round_of_waiter = -1;

static int word; // a lock by hand, whose system call is bare: libc has no frame pointers
static bool by_hand;

static void wait_by_hand(int *lock)
{
	bare_call(SYS_futex, (long)lock, FUTEX_WAIT_PRIVATE, 1, 0);
}

__attribute__((noinline, noipa)) void work_wait_for_lock(void)
{
	if (!by_hand) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
	}
	while (by_hand && __atomic_load_n(&word, __ATOMIC_SEQ_CST))
		wait_by_hand(&word);
}

static void take(void)
{
	if (by_hand)
		__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	else
		pthread_mutex_lock(&mutex);
}

static void give_back(void)
{
	if (by_hand) {
		__atomic_store_n(&word, 0, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
	} else {
		pthread_mutex_unlock(&mutex);
	}
}

static void *want(void *rounds)
{
	waiter = syscall(SYS_gettid);
	for (int i = 0; i < (long)rounds; i++) {
		while (round_of_waiter != i)
			usleep(100);
		asked_us = now_us();
		work_wait_for_lock();
		got_us = now_us();
		round_of_waiter = -1;
	}
	return NULL;
}

/* Whether a thread of ours sleeps in the system call of that number. */
static bool sleeps_in(long tid, long call)
{
	char path[64], line[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/syscall", tid);
	f = fopen(path, "r");
	if (f) {
		if (!fgets(line, sizeof(line), f))
			*line = '\0';
		fclose(f);
	}
	return *line >= '0' && *line <= '9' && atol(line) == call;
}

WORK(mutex,
     "N US: hold a pthread mutex N times for US after another thread has begun to wait for it")
{
	long n = number(argc, argv, 1, 1), us = number(argc, argv, 2, 1000), most = 0, least = 0;
	pthread_t other;

	by_hand = argc > 3;
	if (pthread_create(&other, NULL, want, (void *)n))
		fail("pthread_create");
	for (long i = 0; i < n; i++) {
		take();
		round_of_waiter = i;
		while (!waiter || !sleeps_in(waiter, SYS_futex))
			usleep(100);
		least += us;
		usleep(us);
		give_back();
		while (round_of_waiter != -1)
			usleep(100);
		most += got_us - asked_us;
	}
	pthread_join(other, NULL);
	printf("pid %d tid %ld lock %lu times %ld least_us %ld most_us %ld\n", getpid(), waiter,
	       by_hand ? (unsigned long)&word : (unsigned long)&mutex, n, least, most);
	return 0;
}
