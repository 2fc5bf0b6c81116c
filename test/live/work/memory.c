// Memory: faults, heaps, the page cache, slab objects, by the number.
// Compiled with frame pointers (test/CMakeLists.txt); system calls whose stacks are looked at are
// bare, so that no function of libc, which has none, stands in between.
#include "work.h"
#include "call.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096
#define FRAME __attribute__((noinline, noipa))

static volatile long keep; // what a function adds to after its calls, so that none is a tail call

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

FRAME void work_touch_pages(volatile char *memory, long pages)
{
	for (long i = 0; i < pages; i++)
		memory[i * PAGE] = 1;
	keep++;
}

static char *small_pages(long pages)
{
	char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
	return memory;
}

WORK(touch, "N: touch N pages of new memory in the function work_touch_pages")
{
	long pages = number(argc, argv, 1, 1), before;
	char *memory = small_pages(pages);

	/* What it needs besides: its code, its variable, and what faults() needs. */
	keep += *(volatile const char *)work_touch_pages;
	faults();
	before = faults();
	work_touch_pages(memory, pages);
	printf("pid %d pages %ld faults %ld\n", getpid(), pages, faults() - before);
	return 0;
}

FRAME long work_brk(long end)
{
	return bare_call(SYS_brk, end, 0, 0, 0);
}

FRAME long work_grow(long bytes, long times)
{
	long begin = work_brk(0), end = begin;

	for (long i = 0; i < times; i++)
		end = work_brk(end + bytes);
	keep++;
	return end - begin;
}

WORK(heap, "N BYTES: make the heap larger by BYTES N times, in the function work_grow")
{
	long times = number(argc, argv, 1, 1), bytes = number(argc, argv, 2, PAGE);

	printf("pid %d times %ld grown %ld\n", getpid(), times, work_grow(bytes, times));
	return 0;
}

static void *resident(int fd, long pages, long *count)
{
	unsigned char *in = calloc(pages, 1);
	void *map = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED || mincore(map, pages * PAGE, in))
		fail("mincore");
	*count = 0;
	for (long i = 0; i < pages; i++)
		*count += in[i] & 1;
	free(in);
	return map;
}

static void use(int fd, const char *how, long pages)
{
	const long chunk = 16 * PAGE;
	char *buffer;

	if (posix_memalign((void **)&buffer, PAGE, chunk))
		fail("posix_memalign");
	memset(buffer, 'w', chunk);
	if (!strcmp(how, "map")) {
		volatile char *map = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);

		for (long i = 0; i < pages; i++)
			keep += map[i * PAGE];
	} else if (!strcmp(how, "write")) {
		for (long at = 0; at < pages * PAGE; at += chunk)
			if (pwrite(fd, buffer, chunk, at) != chunk)
				fail("pwrite");
	} else if (strcmp(how, "nothing")) {
		for (long at = 0; at < pages * PAGE; at += chunk)
			if (pread(fd, buffer, chunk, at) != chunk)
				fail("pread");
	}
	free(buffer);
}

WORK(cache, "FILE HOW N: use N pages (of 16) of the file: read, direct, map, write, nothing, drop")
{
	const char *file = text(argc, argv, 1, NULL), *how = text(argc, argv, 2, NULL);
	long pages = number(argc, argv, 3, 16), before, after;
	int fd = open(file, O_RDWR | (strcmp(how, "direct") ? 0 : O_DIRECT));
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fail(file);
	munmap(resident(fd, st.st_size / PAGE, &before), st.st_size);
	if (!strcmp(how, "drop")) {
		fsync(fd);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	} else {
		use(fd, how, pages);
	}
	munmap(resident(fd, st.st_size / PAGE, &after), st.st_size);
	printf("pid %d pages %ld before %ld after %ld\n", getpid(), pages, before, after);
	return 0;
}

WORK(objects, "FOLDER N: N open files of a file, N names looked up that are not there, N children")
{
	const char *folder = text(argc, argv, 1, NULL);
	long n = number(argc, argv, 2, 1);
	char path[4096];
	struct stat st;

	for (long i = 0; i < n; i++)
		close(open(folder, O_PATH)); // else a directory of tmpfs on 6.1 takes a dentry, too
	for (long i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/none-%ld", folder, i);
		stat(path, &st);
	}
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	printf("pid %d each %ld\n", getpid(), n);
	return 0;
}

WORK(numa, "MB SECONDS: memory of NUMA node 1, touched again and again")
{
	long pages = number(argc, argv, 1, 16) * 256, seconds = number(argc, argv, 2, 5);
	unsigned long second_node = 2, rounds = 0;
	char *memory = small_pages(pages);
	long end = now_us() + seconds * 1000000;

	if (syscall(SYS_set_mempolicy, 2 /* MPOL_BIND */, &second_node, 8 * sizeof(second_node)))
		fail("set_mempolicy");
	work_touch_pages(memory, pages);
	syscall(SYS_set_mempolicy, 0 /* MPOL_DEFAULT */, NULL, 0);
	for (; now_us() < end; rounds++)
		work_touch_pages(memory, pages);
	printf("pid %d pages %ld rounds %lu\n", getpid(), pages, rounds);
	return 0;
}

WORK(hog, "MB: touch so much memory, and then exit")
{
	long pages = number(argc, argv, 1, 1) * 256;

	work_touch_pages(small_pages(pages), pages);
	printf("pid %d pages %ld\n", getpid(), pages);
	return 0;
}
