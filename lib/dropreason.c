#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dropreason.h"
#include "kernel.h"
#include "util.h"

int dropreasons_parse(const char *text, char *names[DROPREASONS])
{
	const char *p = strstr(text, "__print_symbolic(REC->reason,");
	int found = 0;

	while (p && (p = strchr(p, '{'))) {
		char *end, *quote;
		unsigned long number = strtoul(p + 1, &end, 0);

		p++;
		if (strncmp(end, ", \"", 3))
			continue;
		end += 3;
		quote = strchr(end, '"');
		if (!quote)
			break;
		if (number < DROPREASONS && !names[number]) {
			names[number] = xasprintf("%.*s", (int)(quote - end), end);
			found++;
		}
		p = quote;
	}
	return found;
}

static char **load(void)
{
	static char *names[DROPREASONS];
	int fd = openat(tracefs_dir(), "events/skb/kfree_skb/format", O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : read_fd(fd, 1 << 20, NULL);

	if (text)
		dropreasons_parse(text, names);
	free(text);
	if (fd >= 0)
		close(fd);
	return names;
}

void dropreason_name(struct buf *b, u32 reason)
{
	static char **names;

	names = names ?: load();
	if (reason < DROPREASONS && names[reason])
		buf_str(b, names[reason]);
	else
		buf_hex(b, reason);
}
