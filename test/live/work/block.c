// Files and disks: operations one by one, with the time that each kind took as the caller saw it.
#include "work.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

WORK(disk, "DISK N BYTES r|w SEQ|STEP_BYTES: N direct reads or writes of BYTES, one behind the "
	   "other or STEP apart")
{
	const char *path = text(argc, argv, 1, NULL), *mode = text(argc, argv, 4, "r");
	long count = number(argc, argv, 2, 1), bytes = number(argc, argv, 3, 4096);
	long step = number(argc, argv, 5, bytes), longest = 0, total = 0;
	int fd = open(path, O_RDWR | O_DIRECT);
	void *buffer;

	if (fd < 0 || posix_memalign(&buffer, 4096, bytes))
		fail(path);
	memset(buffer, 1, bytes);
	for (long i = 0; i < count; i++) {
		long began = now_us(), took;
		ssize_t n = *mode == 'w' ? pwrite(fd, buffer, bytes, i * step)
					 : pread(fd, buffer, bytes, i * step);

		if (n != bytes)
			fail("direct I/O");
		took = now_us() - began;
		total += took;
		longest = took > longest ? took : longest;
	}
	printf("pid %d count %ld total_us %ld longest_us %ld\n", getpid(), count, total, longest);
	return 0;
}

WORK(ops,
     "FILE OPENS WRITES READS FSYNCS [O_SYNC]: that many of each on FILE; the time of each kind")
{
	const char *path = text(argc, argv, 1, NULL);
	long n[4], us[4] = {}, began;
	int fd = -1, sync = number(argc, argv, 6, 0) ? O_SYNC : 0;
	char buffer[4096] = "";

	for (int i = 0; i < 4; i++)
		n[i] = number(argc, argv, 2 + i, 1);
	for (long i = 0; i < n[0]; i++) {
		if (fd >= 0)
			close(fd);
		began = now_us();
		fd = open(path, O_RDWR | O_CREAT | sync, 0644);
		us[0] += now_us() - began;
		if (fd < 0)
			fail(path);
	}
	for (long i = 0; i < n[1]; i++) {
		began = now_us();
		if (pwrite(fd, buffer, sizeof(buffer), i * sizeof(buffer)) < 0)
			fail("pwrite");
		us[1] += now_us() - began;
	}
	for (long i = 0; i < n[2]; i++) {
		began = now_us();
		if (pread(fd, buffer, sizeof(buffer), 0) < 0)
			fail("pread");
		us[2] += now_us() - began;
	}
	for (long i = 0; i < n[3]; i++) {
		began = now_us();
		if (fsync(fd))
			fail("fsync");
		us[3] += now_us() - began;
	}
	printf("pid %d open_us %ld write_us %ld read_us %ld fsync_us %ld\n", getpid(), us[0], us[1],
	       us[2], us[3]);
	return 0;
}
