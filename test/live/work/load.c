// What can be done often, for so many seconds: each says how often it did.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "work.h"

#define BLOCK 4096

static long until(int argc, char **argv)
{
	return now_us() + number(argc, argv, 1, 1) * 1000000;
}

WORK(load_open, "SECONDS PATTERN: open what does not exist, PATTERN with %ld")
{
	long end = until(argc, argv), count = 0;
	char path[4096];

	for (; now_us() < end; count++) {
		snprintf(path, sizeof(path), text(argc, argv, 2, NULL), count);
		if (syscall(SYS_openat, AT_FDCWD, path, O_RDONLY) >= 0 || errno != ENOENT)
			fail(path);
	}
	printf("pid %d count %ld\n", getpid(), count);
	return 0;
}

WORK(load_exec, "SECONDS PROGRAM: execute PROGRAM with its number, one after the other")
{
	const char *program = text(argc, argv, 2, NULL);
	long end = until(argc, argv), count = 0;
	char word[24];

	for (int status, pid; now_us() < end; count++) {
		snprintf(word, sizeof(word), "%ld", count);
		pid = vfork();
		if (!pid) {
			execl(program, program, "storm", word, NULL);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			fail(program);
	}
	printf("pid %d count %ld\n", getpid(), count);
	return 0;
}

WORK(load_disk, "SECONDS DISK BLOCKS: direct reads of 4 KB, of every other block in turn")
{
	int fd = open(text(argc, argv, 2, NULL), O_RDONLY | O_DIRECT);
	long end = until(argc, argv), blocks = number(argc, argv, 3, 1), count = 0;
	void *buffer = aligned_alloc(BLOCK, BLOCK);

	if (fd < 0 || !buffer)
		fail("open");
	for (; now_us() < end; count++)
		if (pread(fd, buffer, BLOCK, count * 2 % blocks * BLOCK) != BLOCK)
			fail("pread");
	printf("pid %d count %ld\n", getpid(), count);
	return 0;
}

// Answers one byte on each connection, and sees it closed.
static void serve(int listener)
{
	for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
		char byte;

		if (read(fd, &byte, 1) != 1)
			break;
		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1))
			fail("server");
	}
	_exit(0);
}

static struct sockaddr_in loopback(int host)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host) };
}

// Some bytes there and one back.
static void converse(struct sockaddr_in to, const char *bytes, int n)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		fail("connect");
	if (n && (write(fd, bytes, n) != n || read(fd, &byte, 1) != 1))
		fail("client");
	close(fd);
}

// Of one address there are not enough ports for all that wait for their time to pass.
WORK(load_tcp, "SECONDS: connections to a child by loopback, one after the other")
{
	struct sockaddr_in here = loopback(0), to;
	int listener = socket(AF_INET, SOCK_STREAM, 0), server;
	long end = until(argc, argv), count = 0;
	socklen_t size = sizeof(here);

	here.sin_addr.s_addr = htonl(INADDR_ANY);
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)) || listen(listener, 64) ||
	    getsockname(listener, (struct sockaddr *)&here, &size))
		fail("listen");
	server = fork();
	if (!server)
		serve(listener);
	for (; now_us() < end; count++) {
		to = loopback(count % 200);
		to.sin_port = here.sin_port;
		converse(to, "x", 1);
	}
	to = loopback(0);
	to.sin_port = here.sin_port;
	converse(to, "", 0); // the last one: it ends the server
	waitpid(server, NULL, 0);
	printf("pid %d server %d count %ld\n", getpid(), server, count + 1);
	return 0;
}

WORK(load_call, "SECONDS: getppid()")
{
	long end = until(argc, argv), count = 0;

	for (; now_us() < end; count++)
		syscall(SYS_getppid);
	printf("pid %d count %ld\n", getpid(), count);
	return 0;
}

WORK(load_burn, "SECONDS: nothing but use a CPU")
{
	long end = until(argc, argv);

	while (now_us() < end)
		;
	return 0;
}
