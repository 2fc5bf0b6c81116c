// Memory that is allocated and not freed, by every function that allocates, and mutexes that are
// held, in functions of their own. With frame pointers, and not static: libc is what is traced.
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, noipa))

static volatile long keep; // what a function adds to after its calls, so that none is a tail call
static void *volatile kept[4096];

FRAME void *leak_small(void)
{
	void *p = malloc(100);

	keep++;
	return p;
}

FRAME void *leak_zeroed(void)
{
	void *p = calloc(7, 33);

	keep++;
	return p;
}

FRAME void *leak_grown(void *p)
{
	p = realloc(p, 5000);
	keep++;
	return p;
}

FRAME void *leak_aligned(void)
{
	void *p = NULL;

	if (posix_memalign(&p, 256, 600))
		abort();
	keep++;
	return p;
}

FRAME void *leak_mapped(void)
{
	void *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	keep++;
	return p;
}

FRAME void *leak_remapped(void *p)
{
	p = mremap(p, 3 * 4096, 20 * 4096, MREMAP_MAYMOVE);
	keep++;
	return p;
}

FRAME void leak_failing(void)
{
	volatile size_t much = PTRDIFF_MAX, pages = 1ul << 60;
	void *p = malloc(32);
	void *none[] = { malloc(much), realloc(p, much), calloc(much, 2) };

	if (none[0] || none[1] || none[2])
		abort();
	if (mmap(NULL, pages, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		abort();
	keep = (long)p;
}

// Sizes around a limit; each is freed again unless `left`.
FRAME void leak_sizes(int left)
{
	for (size_t n = 1000; n <= 1010; n++) {
		void *p = malloc(n);

		if (!left)
			free(p);
		keep++;
	}
}

static void *storm(void *arg)
{
	long n = (long)arg;

	for (long i = 0; i < n; i++) {
		void *p = malloc(100 + i % 50), *q = malloc(200000), *r = realloc(p, 300);

		free(q);
		free(r);
	}
	return NULL;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static volatile int holding;
static long waited_us, held_us;

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

FRAME void lock_hold(void)
{
	long since;

	pthread_mutex_lock(&mutex);
	since = now_us();
	holding = 1;
	usleep(20000);
	held_us += now_us() - since;
	pthread_mutex_unlock(&mutex);
	keep++;
}

FRAME void lock_want(void)
{
	long since = now_us();

	pthread_mutex_lock(&mutex);
	waited_us += now_us() - since;
	holding = 0;
	pthread_mutex_unlock(&mutex);
	keep++;
}

static void *wanting(void *arg)
{
	for (long i = 0; i < (long)arg; i++) {
		while (!holding)
			usleep(100);
		lock_want();
	}
	return NULL;
}

static void locks(long n)
{
	pthread_t thread;

	waited_us = held_us = 0;
	pthread_create(&thread, NULL, wanting, (void *)n);
	for (long i = 0; i < n; i++) {
		lock_hold();
		while (holding)
			usleep(100);
	}
	pthread_join(thread, NULL);
}

// The mutex is taken, given back while the condition is waited for, and had again.
FRAME void lock_condition(long n)
{
	struct timespec until;

	for (long i = 0; i < n; i++) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 20000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_mutex_lock(&mutex);
		pthread_cond_timedwait(&never, &mutex, &until);
		pthread_mutex_unlock(&mutex);
		keep++;
	}
}

// Three mutexes in a circle, by a thread each, one after the other: nobody ever waits.
static pthread_mutex_t circle[3] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
				     PTHREAD_MUTEX_INITIALIZER };

FRAME void lock_second(int i)
{
	pthread_mutex_lock(&circle[i]);
	pthread_mutex_unlock(&circle[i]);
	keep++;
}

FRAME void *lock_two(void *arg)
{
	int i = (long)arg;

	pthread_mutex_lock(&circle[i]);
	lock_second((i + 1) % 3);
	pthread_mutex_unlock(&circle[i]);
	keep++;
	return NULL;
}

FRAME void lock_in_order(long n)
{
	for (long i = 0; i < n; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, lock_two, (void *)i);
		pthread_join(thread, NULL);
	}
}

// Lines of stdin: what to do; an answer to each.
int main(void)
{
	static char line[64];
	int nkept = 0;

	setvbuf(stdin, NULL, _IONBF, 0);
	printf("pid %d first %p size %zu\n", getpid(), (void *)&circle[0], sizeof(circle[0]));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		char word[16] = "";
		long n = 1;

		sscanf(line, "%15s %ld", word, &n);
		if (!strcmp(word, "leak")) {
			for (long i = 0; i < n; i++) {
				kept[nkept++] = leak_small();
				kept[nkept++] = leak_zeroed();
				kept[nkept++] = leak_grown(leak_small());
				kept[nkept++] = leak_aligned();
				leak_remapped(leak_mapped());
				leak_mapped();
			}
		} else if (!strcmp(word, "free")) {
			while (nkept)
				free(kept[--nkept]);
		} else if (!strcmp(word, "fail")) {
			leak_failing();
		} else if (!strcmp(word, "sizes")) {
			leak_sizes(1);
			leak_sizes(0);
		} else if (!strcmp(word, "storm")) {
			pthread_t threads[30];

			for (int i = 0; i < 30; i++)
				pthread_create(&threads[i], NULL, storm, (void *)n);
			for (int i = 0; i < 30; i++)
				pthread_join(threads[i], NULL);
		} else if (!strcmp(word, "files")) {
			for (long i = 0; i < n; i++)
				if (open("/dev/null", O_RDONLY) < 0)
					abort();
		} else if (!strcmp(word, "closed")) {
			for (long i = 0; i < n; i++)
				close(open("/dev/null", O_RDONLY));
		} else if (!strcmp(word, "locks")) {
			locks(n);
		} else if (!strcmp(word, "order")) {
			lock_in_order(n);
		} else if (!strcmp(word, "conditions")) {
			lock_condition(n);
		}
		printf("done waited_us %ld held_us %ld\n", waited_us, held_us);
		fflush(stdout);
	}
	return 0;
}
