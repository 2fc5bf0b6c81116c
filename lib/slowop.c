#include <string.h>

#include "buf.h"
#include "slowop.h"

struct slowop_conf slowop_conf = { .min_ns = 10 * 1000000 };

const char *const slowop_letters[] = {
	[FSOP_READ] = "R",  [FSOP_WRITE] = "W",   [FSOP_OPEN] = "O",
	[FSOP_FSYNC] = "S", [FSOP_GETATTR] = "G", [FSOP_COMMIT] = "C",
};

const struct opt slowop_min_ms[] = {
	OPT(0, "min_ms", NULL, &slowop_conf.min_ns, SLOWOP_MIN_HELP, .scale = 1000000,
	    .max = ~0ull / 1000000),
	{ 0 },
};

void slowop_banner(struct buf *b, const char *what)
{
	buf_fmt(b, "Tracing %s", what);
	if (slowop_conf.min_ns)
		buf_fmt(b, " slower than %llu ms", slowop_conf.min_ns / 1000000);
	buf_chr(b, '\n');
}

const void *slowop_path(struct run *run, const void *event, size_t *size)
{
	static struct slowop_event e;

	(void)run;
	memcpy(&e, event, *size);
	path_event(&e.path, size);
	return &e;
}
