// Network: TCP and UDP by the byte, over IPv4 or IPv6.
#include "work.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static socklen_t address(struct sockaddr_storage *storage, const char *host, int port)
{
	struct sockaddr_in *v4 = (void *)storage;
	struct sockaddr_in6 *v6 = (void *)storage;

	memset(storage, 0, sizeof(*storage));
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		return sizeof(*v6);
	}
	if (inet_pton(AF_INET, host, &v4->sin_addr) != 1) {
		fprintf(stderr, "work: not an address: %s\n", host);
		exit(2);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	return sizeof(*v4);
}

static int local_port(int fd)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof(storage);

	getsockname(fd, (void *)&storage, &length);
	return ntohs(storage.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&storage)->sin6_port
						   : ((struct sockaddr_in *)&storage)->sin_port);
}

static int listen_on(const char *host, int port, int type)
{
	struct sockaddr_storage storage;
	socklen_t length = address(&storage, host, port);
	int fd = socket(storage.ss_family, type | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&storage, length) || (type == SOCK_STREAM && listen(fd, 64)))
		fail("listen");
	return fd;
}

static int connect_to(const char *host, int port, int type)
{
	struct sockaddr_storage storage;
	socklen_t length = address(&storage, host, port);
	int fd = socket(storage.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	if (connect(fd, (void *)&storage, length)) {
		close(fd);
		return -1;
	}
	return fd;
}

static long send_all(int fd, long bytes, long chunk)
{
	static char buffer[1 << 16];
	long sent = 0;

	if (chunk > (long)sizeof(buffer))
		chunk = sizeof(buffer);
	while (sent < bytes) {
		long want = bytes - sent < chunk ? bytes - sent : chunk;
		ssize_t n = send(fd, buffer, want, MSG_NOSIGNAL);

		if (n <= 0)
			fail("send");
		sent += n;
	}
	return sent;
}

static long receive_all(int fd, long limit)
{
	static char buffer[1 << 16];
	long received = 0;
	ssize_t n;

	while (received < limit && (n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		received += n;
	return received;
}

WORK(tcp,
     "HOST BYTES BACK [CONNECTIONS AGE_MS PORT]: in one process and its child, the server: each "
     "connection sends BYTES and gets BACK bytes; prints the ports")
{
	const char *host = text(argc, argv, 1, "127.0.0.1");
	long bytes = number(argc, argv, 2, 1000), back = number(argc, argv, 3, 0);
	long count = number(argc, argv, 4, 1), age = number(argc, argv, 5, 0);
	int listener = listen_on(host, number(argc, argv, 6, 0), SOCK_STREAM);
	int port = local_port(listener), server = fork();

	if (!server) {
		for (long i = 0; i < count; i++) {
			int fd = accept(listener, NULL, NULL);

			receive_all(fd, bytes);
			send_all(fd, back, 1 << 16);
			receive_all(fd, 1); // the client closes first
			close(fd);
		}
		_exit(0);
	}
	printf("pid %d server %d port %d local", getpid(), server, port);
	for (long i = 0; i < count; i++) {
		int fd = connect_to(host, port, SOCK_STREAM);

		if (fd < 0)
			fail("connect");
		printf("%c%d", i ? ',' : ' ', local_port(fd));
		send_all(fd, bytes, 1 << 16);
		if (receive_all(fd, back) != back)
			fail("short answer");
		usleep(age * 1000);
		close(fd);
	}
	printf(" sent %ld received %ld\n", bytes * count, back * count);
	waitpid(server, NULL, 0);
	return 0;
}

WORK(tcp_server, "HOST PORT N [BACK]: take N connections, one at a time; PORT 0 chooses one")
{
	const char *host = text(argc, argv, 1, "127.0.0.1");
	long count = number(argc, argv, 3, 1), back = number(argc, argv, 4, 0), received = 0;
	int listener = listen_on(host, number(argc, argv, 2, 0), SOCK_STREAM);

	printf("pid %d port %d\n", getpid(), local_port(listener));
	fflush(stdout);
	for (long i = 0; i < count; i++) {
		int fd = accept(listener, NULL, NULL);

		send_all(fd, back, 1 << 16);
		received += receive_all(fd, 1L << 62);
		close(fd);
	}
	printf("received %ld sent %ld\n", received, back * count);
	return 0;
}

WORK(tcp_client, "HOST PORT BYTES [N AGE_MS BACK]: N connections; a refused one is counted")
{
	const char *host = text(argc, argv, 1, "127.0.0.1");
	long port = number(argc, argv, 2, 0), bytes = number(argc, argv, 3, 0);
	long count = number(argc, argv, 4, 1), age = number(argc, argv, 5, 0);
	long back = number(argc, argv, 6, 0), failed = 0, received = 0;
	int error = 0;

	printf("pid %d local", getpid());
	for (long i = 0; i < count; i++) {
		int fd = connect_to(host, port, SOCK_STREAM);

		if (fd < 0) {
			error = errno;
			failed++;
			continue;
		}
		printf("%c%d", i ? ',' : ' ', local_port(fd));
		send_all(fd, bytes, 1 << 16);
		received += receive_all(fd, back);
		usleep(age * 1000);
		close(fd);
	}
	if (failed == count)
		printf(" 0");
	printf(" sent %ld received %ld failed %ld errno %d\n", bytes * (count - failed), received,
	       failed, error);
	return 0;
}

WORK(udp, "HOST BYTES N [PORT]: N datagrams of BYTES to a socket of its own, and takes them all")
{
	const char *host = text(argc, argv, 1, "127.0.0.1");
	long bytes = number(argc, argv, 2, 100), count = number(argc, argv, 3, 1);
	int receiver = listen_on(host, number(argc, argv, 4, 0), SOCK_DGRAM);
	int port = local_port(receiver), sender = connect_to(host, port, SOCK_DGRAM);
	long received = 0;

	for (long i = 0; i < count; i++) {
		send_all(sender, bytes, bytes);
		received += receive_all(receiver, 1);
	}
	printf("pid %d port %d local %d sent %ld received %ld\n", getpid(), port,
	       local_port(sender), bytes * count, received);
	return 0;
}
