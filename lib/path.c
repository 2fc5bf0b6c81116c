#include <string.h>

#include "path.h"

size_t path_join(char *to, const char *names, size_t len)
{
	const char *end = names + len;
	size_t at = len;

	to[len] = '\0';
	while (names < end) {
		size_t n = strnlen(names, end - names);

		at -= n;
		memcpy(to + at, names, n);
		if (at)
			to[--at] = '/';
		names += n + 1;
	}
	memmove(to, to + at, len + 1 - at);
	return len + 1 - at;
}

void path_event(struct bcc_path *path, size_t *size)
{
	char names[sizeof(path->file)];

	if (!path->full || !path->len)
		return;
	memcpy(names, path->file, path->len);
	*size -= path->len;
	path->len = path_join(path->file, names, path->len);
	*size += path->len;
	path->full = false;
}
