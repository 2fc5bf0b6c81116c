#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out.h"
#include "util.h"

const char *progname = "bcctool";

static void vmessage(const char *fmt, va_list ap, int err)
{
	struct buf b = {};

	out_flush();
	buf_fmt(&b, "%s: ", progname);
	buf_vfmt(&b, fmt, ap);
	if (err)
		buf_fmt(&b, ": %s", strerror(err < 0 ? -err : err));
	fprintf(stderr, "%.*s\n", (int)b.len, b.data);
	buf_free(&b);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmessage(fmt, ap, 0);
	va_end(ap);
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmessage(fmt, ap, 0);
	va_end(ap);
	exit(1);
}

void die_err(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmessage(fmt, ap, err);
	va_end(ap);
	exit(1);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		die_err(ENOMEM, "cannot allocate %zu bytes", n * size);
	return p;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p)
		die_err(ENOMEM, "cannot allocate %zu bytes", size);
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die_err(ENOMEM, "cannot format a string");
	va_end(ap);
	return s;
}

char *read_fd(int fd, size_t max, size_t *len)
{
	size_t n = 0, cap = 4096;
	char *data = xrealloc(NULL, cap);
	ssize_t got = 0;

	do {
		n += got;
		if (n + 1 >= cap)
			data = xrealloc(data, cap *= 2);
		got = read(fd, data + n, cap - n - 1);
	} while (got > 0 && n <= max);
	if (got < 0 || n > max) {
		int err = got < 0 ? errno : EFBIG;

		free(data);
		errno = err;
		return NULL;
	}
	data[n] = '\0';
	if (len)
		*len = n;
	return data;
}

char *read_file(const char *path, size_t max, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	char *data;

	if (fd < 0)
		return NULL;
	data = read_fd(fd, max, len);
	err = errno;
	close(fd);
	errno = err;
	return data;
}

bool parse_u64(const char *s, u64 max, u64 *v)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*v = strtoull(s, &end, 0);
	return !errno && !*end && *v <= max;
}

int edit_distance(const char *a, const char *b)
{
	int la = strlen(a), lb = strlen(b);
	int d[32][32];

	if (la > 31 || lb > 31)
		return 99;
	for (int i = 0; i <= la; i++)
		for (int j = 0; j <= lb; j++) {
			int best = i ? j ? d[i - 1][j - 1] + (a[i - 1] != b[j - 1]) : i : j;

			if (i && d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (j && d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[la][lb];
}
