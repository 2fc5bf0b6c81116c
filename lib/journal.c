#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "journal.h"

int journal_open(void)
{
	struct sockaddr_un to = { AF_UNIX, "/run/systemd/journal/socket" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (void *)&to, sizeof(to)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

void journal_field(struct buf *entry, const char *key, const char *value, size_t len)
{
	buf_str(entry, key);
	if (memchr(value, '\n', len)) {
		buf_chr(entry, '\n');
		for (int byte = 0; byte < 8; byte++) /* the length, little-endian */
			buf_chr(entry, (u64)len >> 8 * byte);
	} else {
		buf_chr(entry, '=');
	}
	buf_mem(entry, value, len);
	buf_chr(entry, '\n');
}

int journal_send(int fd, const struct buf *entry)
{
	return send(fd, entry->data, entry->len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
