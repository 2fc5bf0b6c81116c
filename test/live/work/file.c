// Files: opening, reading, writing, directories.
#include "work.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_flags(const char *word)
{
	static const struct {
		const char *name;
		int flags;
	} known[] = {
		{ "r", O_RDONLY },
		{ "w", O_WRONLY | O_CREAT | O_TRUNC },
		{ "rw", O_RDWR | O_CREAT },
		{ "a", O_WRONLY | O_CREAT | O_APPEND },
		{ "dir", O_RDONLY | O_DIRECTORY },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i].name, word))
			return known[i].flags;
	return strtol(word, NULL, 0);
}

/* Calls of their own, where the architecture has kept them. */
static long old_open(const char *path, int flags)
{
#ifdef SYS_open
	return syscall(SYS_open, path, flags, 0644);
#else
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0644);
#endif
}

static long old_creat(const char *path)
{
#ifdef SYS_creat
	return syscall(SYS_creat, path, 0644);
#else
	return old_open(path, O_CREAT | O_WRONLY | O_TRUNC);
#endif
}

WORK(open,
     "N PATTERN [r|w|rw|a|dir|FLAGS] [openat|open|creat|openat2]: open N files, PATTERN with %d")
{
	long count = number(argc, argv, 1, 1);
	const char *pattern = text(argc, argv, 2, NULL);
	int flags = open_flags(text(argc, argv, 3, "r"));
	const char *call = text(argc, argv, 4, "openat");
	long opened = 0, failed = 0;
	int error = 0;

	for (long i = 0; i < count; i++) {
		struct {
			unsigned long long flags, mode, resolve;
		} how = { flags, flags & O_CREAT ? 0644 : 0, 0 };
		char path[4096];
		long fd;

		snprintf(path, sizeof(path), pattern, (int)i);
		if (!strcmp(call, "open"))
			fd = old_open(path, flags);
		else if (!strcmp(call, "creat"))
			fd = old_creat(path);
		else if (!strcmp(call, "openat2"))
			fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
		else
			fd = syscall(SYS_openat, AT_FDCWD, path, flags, 0644);
		if (fd < 0) {
			failed++;
			error = errno;
		} else {
			opened++;
			close(fd);
		}
	}
	printf("pid %d opened %ld failed %ld errno %d\n", getpid(), opened, failed, error);
	return 0;
}

WORK(rw,
     "FILE BYTES [READS WRITES SYNCS PAUSE_US]: pwrite, fsync, pread of BYTES each; creates FILE")
{
	const char *path = text(argc, argv, 1, NULL);
	long bytes = number(argc, argv, 2, 4096);
	long reads = number(argc, argv, 3, 1), writes = number(argc, argv, 4, 1);
	long syncs = number(argc, argv, 5, 0), pause = number(argc, argv, 6, 0);
	int fd = open(path, O_RDWR | O_CREAT, 0644);
	char *buffer = calloc(1, bytes + 1);
	long done_reads = 0, done_writes = 0, read_bytes = 0, written = 0;

	if (fd < 0 || !buffer)
		fail(path);
	for (; done_writes < writes; done_writes++) {
		ssize_t n = pwrite(fd, buffer, bytes, done_writes * bytes);

		if (n < 0)
			fail("pwrite");
		written += n;
		usleep(pause);
	}
	for (long i = 0; i < syncs; i++)
		if (fsync(fd))
			fail("fsync");
	for (; done_reads < reads; done_reads++) {
		ssize_t n = pread(fd, buffer, bytes, writes ? done_reads % writes * bytes : 0);

		if (n < 0)
			fail("pread");
		read_bytes += n;
		usleep(pause);
	}
	printf("pid %d reads %ld read_bytes %ld writes %ld written_bytes %ld\n", getpid(),
	       done_reads, read_bytes, done_writes, written);
	return 0;
}

WORK(stat, "N PATTERN: stat N names, PATTERN with %d")
{
	long count = number(argc, argv, 1, 1), failed = 0;
	const char *pattern = text(argc, argv, 2, NULL);

	for (long i = 0; i < count; i++) {
		char path[4096];
		struct stat status;

		snprintf(path, sizeof(path), pattern, (int)i);
		failed += stat(path, &status) != 0;
	}
	printf("pid %d failed %ld\n", getpid(), failed);
	return 0;
}
