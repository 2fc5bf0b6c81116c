#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signame.h"
#include "util.h"

/* The kernel's numbers: of what libc calls SIGRTMIN it keeps the first few for itself. */
#define RTMIN 34

void buf_signal(struct buf *b, int number)
{
	const char *name = sigabbrev_np(number);

	if (name)
		buf_str(b, name);
	else if (number == SIGNAL_MAX)
		buf_str(b, "RTMAX");
	else if (number == RTMIN)
		buf_str(b, "RTMIN");
	else if (number > RTMIN && number < SIGNAL_MAX)
		buf_fmt(b, "RTMIN+%d", number - RTMIN);
	else
		buf_s64(b, number);
}

int signal_number(const char *name)
{
	struct buf b = {};
	int found = -1;
	u64 number;

	if (parse_u64(name, SIGNAL_MAX, &number))
		return number;
	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (int i = 1; i <= SIGNAL_MAX && found < 0; i++) {
		b.len = 0;
		buf_signal(&b, i);
		buf_chr(&b, '\0');
		if (!strcasecmp(b.data, name) && !parse_u64(name, SIGNAL_MAX, &number))
			found = i;
	}
	buf_free(&b);
	return found;
}
