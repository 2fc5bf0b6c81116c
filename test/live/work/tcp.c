// TCP in its rarer ways: non-blocking, by threads, peeking, half closed, by sendfile and splice.
#include "work.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char buffer[1 << 20];

static socklen_t address(struct sockaddr_in6 *to, const char *host, int port)
{
	struct sockaddr_in *v4 = (void *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET6, host, &to->sin6_addr) == 1) {
		to->sin6_family = AF_INET6;
		to->sin6_port = htons(port);
		return sizeof(*to);
	}
	if (inet_pton(AF_INET, host, &v4->sin_addr) != 1)
		fail(host);
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	return sizeof(*v4);
}

static int local_port(int fd)
{
	struct sockaddr_in6 a;
	socklen_t length = sizeof(a);

	getsockname(fd, (void *)&a, &length);
	return ntohs(a.sin6_port); // at the same place in a sockaddr_in
}

static long read_all(int fd)
{
	long received = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		received += n;
	return received;
}

static void write_all(int fd, long bytes)
{
	while (bytes > 0) {
		ssize_t n = write(fd, buffer, bytes < 65536 ? bytes : 65536);

		if (n < 0)
			fail("write");
		bytes -= n;
	}
}

WORK(tcp_nonblock, "HOST PORT N: N non-blocking connects; says how many returned EINPROGRESS")
{
	struct sockaddr_in6 to;
	socklen_t length = address(&to, text(argc, argv, 1, "127.0.0.1"), number(argc, argv, 2, 1));
	long count = number(argc, argv, 3, 1), under_way = 0, other = 0;

	printf("pid %d local", getpid());
	for (long i = 0; i < count; i++) {
		int fd = socket(to.sin6_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (connect(fd, (void *)&to, length) && errno == EINPROGRESS)
			under_way++;
		else
			other = errno;
		printf("%c%d", i ? ',' : ' ', local_port(fd));
		usleep(20000);
		close(fd);
	}
	printf(" under_way %ld errno %ld\n", under_way, other);
	return 0;
}

static struct sockaddr_in6 threads_to;
static socklen_t threads_length;
static int tids[64];

static void *connect_thread(void *index)
{
	int fd = socket(threads_to.sin6_family, SOCK_STREAM, 0);

	tids[(long)index] = syscall(SYS_gettid);
	if (connect(fd, (void *)&threads_to, threads_length))
		fail("connect");
	close(fd);
	return NULL;
}

WORK(tcp_threads, "HOST PORT N: N threads connect once each")
{
	long count = number(argc, argv, 3, 4);
	pthread_t threads[64];

	threads_length =
		address(&threads_to, text(argc, argv, 1, "127.0.0.1"), number(argc, argv, 2, 1));
	if (count > 64)
		count = 64;
	for (long i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, connect_thread, (void *)i);
	printf("pid %d tids", getpid());
	for (long i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		printf("%c%d", i ? ',' : ' ', tids[i]);
	}
	printf("\n");
	return 0;
}

// What the other end does, in a process of its own.
static void serve(int fd, const char *way, long bytes, int go)
{
	char byte;

	if (!strcmp(way, "peek") || !strcmp(way, "again")) {
		if (read(go, &byte, 1) != 1)
			_exit(1);
		write_all(fd, bytes);
		shutdown(fd, SHUT_WR);
		read_all(fd);
	} else if (!strcmp(way, "waitall")) {
		write_all(fd, bytes / 2);
		usleep(100000);
		write_all(fd, bytes - bytes / 2);
		read_all(fd);
	} else if (!strcmp(way, "half")) {
		read_all(fd);
		write_all(fd, bytes);
	} else if (!strcmp(way, "splice")) {
		int pipes[2], null = open("/dev/null", O_WRONLY);

		if (pipe(pipes))
			_exit(1);
		for (ssize_t n; (n = splice(fd, NULL, pipes[1], NULL, 65536, 0)) > 0;)
			while (n > 0)
				n -= splice(pipes[0], NULL, null, NULL, n, 0);
	} else { // partial, slow
		if (!strcmp(way, "partial") && read(go, &byte, 1) != 1)
			_exit(1);
		read_all(fd);
	}
	_exit(0);
}

WORK(tcp_way, "HOST WAY BYTES [CHUNKS GAP_MS]: one connection to a child; WAY is peek, again, "
	      "waitall, half, splice, partial or slow; says what the client sent and received")
{
	struct sockaddr_in6 to;
	socklen_t length = address(&to, text(argc, argv, 1, "127.0.0.1"), 0);
	const char *way = text(argc, argv, 2, NULL);
	long bytes = number(argc, argv, 3, 1000), chunks = number(argc, argv, 4, 1);
	long gap = number(argc, argv, 5, 0), sent = 0, received = 0, again = 0, peeked = 0;
	int listener = socket(to.sin6_family, SOCK_STREAM, 0), go[2], port, fd, server;

	if (bind(listener, (void *)&to, length) || listen(listener, 8) || pipe(go))
		fail("listen");
	port = local_port(listener);
	server = fork();
	if (!server)
		serve(accept(listener, NULL, NULL), way, bytes, go[0]);
	address(&to, text(argc, argv, 1, "127.0.0.1"), port);
	fd = socket(to.sin6_family, SOCK_STREAM, 0);
	if (connect(fd, (void *)&to, length))
		fail("connect");
	printf("pid %d server %d port %d local %d", getpid(), server, port, local_port(fd));
	if (!strcmp(way, "peek")) {
		dprintf(go[1], ".");
		for (int i = 0; i < 5; i++)
			peeked += recv(fd, buffer, bytes, MSG_PEEK | MSG_WAITALL);
		received = read_all(fd);
	} else if (!strcmp(way, "again")) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		for (int i = 0; i < 100; i++)
			again += recv(fd, buffer, 1, 0) < 0 && errno == EAGAIN;
		fcntl(fd, F_SETFL, 0);
		dprintf(go[1], ".");
		received = read_all(fd);
	} else if (!strcmp(way, "waitall")) {
		received = recv(fd, buffer, bytes, MSG_WAITALL);
	} else if (!strcmp(way, "half")) {
		shutdown(fd, SHUT_WR);
		usleep(300000); // answered and closed by the other end: only then is it read
		received = read_all(fd);
	} else if (!strcmp(way, "splice")) {
		int file = memfd_create("work", 0);

		write_all(file, bytes);
		lseek(file, 0, SEEK_SET);
		while (sent < bytes)
			sent += sendfile(fd, file, NULL, bytes - sent);
	} else if (!strcmp(way, "partial")) {
		ssize_t n;

		fcntl(fd, F_SETFL, O_NONBLOCK);
		while ((n = send(fd, buffer, sizeof(buffer), 0)) > 0) {
			sent += n;
			again += n < (ssize_t)sizeof(buffer); // taken in part
		}
		dprintf(go[1], ".");
	} else {
		for (long i = 0; i < chunks; i++, sent += bytes) {
			write_all(fd, bytes);
			usleep(gap * 1000);
		}
	}
	close(fd);
	waitpid(server, NULL, 0);
	printf(" sent %ld received %ld peeked %ld again %ld\n", sent, received, peeked, again);
	return 0;
}
