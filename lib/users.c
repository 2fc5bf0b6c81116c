#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "users.h"
#include "util.h"

/* "root:x:0:0:...": is the third field the number? */
static bool is_of(const char *line, const char *number, size_t len)
{
	const char *id = strchr(line, ':');

	id = id ? strchr(id + 1, ':') : NULL;
	return id && !strncmp(id + 1, number, len) && id[1 + len] == ':';
}

void user_name(struct buf *b, u32 uid)
{
	static char *data;
	char number[16];
	int len = snprintf(number, sizeof(number), "%u", uid);

	data = data ?: read_file("/etc/passwd", 64 << 20, NULL);
	for (const char *line = data; line && *line;) {
		size_t n = strcspn(line, "\n");
		char *copy = xasprintf("%.*s", n > INT_MAX ? 0 : (int)n, line);
		bool found = is_of(copy, number, len);

		free(copy);
		if (found) {
			buf_safe(b, line, strcspn(line, ":"));
			return;
		}
		line += n + (line[n] == '\n');
	}
	buf_u64(b, uid);
}
