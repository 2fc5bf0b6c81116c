/* Operations on files that take long, a line each: bpf/lib/slowop.bpf.h emits them. */
#ifndef SLOWOP_H
#define SLOWOP_H

#include "fsop.h"
#include "path.h"
#include "task.h"

struct slowop_conf {
	u64 min_ns;
	bool full_path; /* -F */
	bool all;       /* fileslower -a: not regular files alone */
};

struct slowop_event {
	struct bcc_task task; /* who began it; the time is that of the return */
	u64 lat_ns;
	s64 offset; /* bytes; of FSOP_FSYNC where the range begins */
	u64 bytes;  /* read or written; of fileslower what was asked for */
	s64 ret;    /* bytes, 0 or a negative error number (errno(3)) */
	u32 op;     /* enum fsop_kind */
	u32 unused;
	struct bcc_path path;
};

#ifndef __bpf__
#include "buf.h"
#include "opt.h"

struct run;

/* The threshold is 10 ms unless it is set. */
extern struct slowop_conf slowop_conf;

/* By enum fsop_kind, as BCC has them. */
#define SLOWOP_LETTERS 6
extern const char *const slowop_letters[SLOWOP_LETTERS];

#define SLOWOP_MIN_HELP                                                                            \
	"print operations that take at least this many milliseconds (default 10); 0: all"

extern const struct opt slowop_min_ms[]; /* positionals "[min_ms]" */

/* "Tracing ext4 operations slower than 10 ms", for .banner_text. */
void slowop_banner(struct buf *b, const char *what);

/* For .event: the path of -F in its order. */
const void *slowop_path(struct run *run, const void *event, size_t *size);
#endif

#endif
