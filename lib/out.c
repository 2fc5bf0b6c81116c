#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out.h"
#include "util.h"

enum out_mode out_mode;
struct buf out;

void out_flush(void)
{
	static bool failed; /* die() flushes too */
	size_t done = 0;

	while (done < out.len && !failed) {
		ssize_t n = write(STDOUT_FILENO, out.data + done, out.len - done);

		if (n >= 0) {
			done += n;
		} else if (errno == EPIPE) {
			exit(0);              /* whoever reads has seen enough: `| head` */
		} else if (errno == EAGAIN) { /* somebody made our stdout non-blocking */
			poll(&(struct pollfd){ STDOUT_FILENO, POLLOUT, 0 }, 1, -1);
		} else if (errno != EINTR) {
			failed = true;
			die_err(errno, "cannot write the output");
		}
	}
	out.len = 0;
}

void out_row(void)
{
	if (out.len >= 32 * 1024)
		out_flush();
}

bool out_is_terminal(void)
{
	static int is = -1;

	if (is < 0)
		is = isatty(STDOUT_FILENO);
	return is;
}
