// A name server that says what it is told to, and a client that asks it and connects.
#include "work.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

// A query for a name; and its answer, in place.
static size_t query(unsigned char *packet, const char *name, int type)
{
	size_t at = 12;

	memcpy(packet, "\x12\x34\1\0\0\1\0\0\0\0\0\0", 12);
	while (*name) {
		size_t n = strcspn(name, ".");

		packet[at++] = n;
		memcpy(packet + at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	memcpy(packet + at, "\0\0\0\0\1", 5);
	packet[at + 2] = type;
	return at + 5;
}

static size_t answer(unsigned char *packet, size_t size, struct sockaddr_in6 *with)
{
	int v6 = with->sin6_family == AF_INET6, n = v6 ? 16 : 4;

	packet[2] = 0x81;
	packet[7] = 1;
	memcpy(packet + size, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12);
	packet[size + 3] = v6 ? 28 : 1;
	packet[size + 11] = n;
	memcpy(packet + size + 12,
	       v6 ? (void *)&with->sin6_addr : (void *)&((struct sockaddr_in *)with)->sin_addr, n);
	return size + 12 + n;
}

WORK(dns, "SERVER NAME ADDRESS PORT HOW [WAIT_MS SERVER_PORT]: ask SERVER, a child, for NAME, and "
	  "connect to "
	  "ADDRESS, its answer; HOW to receive is recv, recvfrom, recvmsg (in two parts) or read")
{
	const char *name = text(argc, argv, 2, "name.example"), *how = text(argc, argv, 5, "recv");
	struct sockaddr_in6 server, target, from;
	socklen_t length = address(&server, text(argc, argv, 1, "127.0.0.53"),
				   number(argc, argv, 7, 53)),
		  from_length = sizeof(from);
	socklen_t target_length =
		address(&target, text(argc, argv, 3, "127.0.0.7"), number(argc, argv, 4, 9));
	int sock = socket(server.sin6_family, SOCK_DGRAM, 0), one = 1, child;
	unsigned char packet[512];
	ssize_t n;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(sock, (void *)&server, length))
		fail("bind");
	child = fork();
	if (!child) {
		n = recvfrom(sock, packet, sizeof(packet), 0, (void *)&from, &from_length);
		n = answer(packet, n, &target);
		sendto(sock, packet, n, 0, (void *)&from, from_length);
		_exit(0);
	}
	close(sock);
	sock = socket(server.sin6_family, SOCK_DGRAM, 0);
	n = query(packet, name, target.sin6_family == AF_INET6 ? 28 : 1);
	if (strcmp(how, "recvfrom") && connect(sock, (void *)&server, length))
		fail("connect");
	if (sendto(sock, packet, n, 0, (void *)&server, length) < 0)
		fail("sendto");
	memset(packet, 0, sizeof(packet));
	if (!strcmp(how, "recvfrom")) {
		n = recvfrom(sock, packet, sizeof(packet), 0, (void *)&from, &from_length);
	} else if (!strcmp(how, "recvmsg")) {
		struct iovec parts[2] = { { packet, 200 }, { packet + 200, sizeof(packet) - 200 } };
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

		n = recvmsg(sock, &message, 0);
	} else if (!strcmp(how, "read")) {
		n = read(sock, packet, sizeof(packet));
	} else {
		n = recv(sock, packet, sizeof(packet), 0);
	}
	usleep(number(argc, argv, 6, 0) * 1000);
	close(sock);
	sock = socket(target.sin6_family, SOCK_STREAM, 0);
	connect(sock, (void *)&target, target_length);
	waitpid(child, NULL, 0);
	printf("pid %d server %d answer %zd\n", getpid(), child, n);
	return 0;
}
