#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "clock.h"
#include "pictures.h"
#include "pprof.h"

#define MAX_FRAMES (4 * STACK_DEPTH + 16) /* of a row: two stacks of two tasks, and notes */

static struct interned strings;
static struct flame flame;
static struct pprof pprof;
static int svg = -1, profile = -1;
static u64 rows_seen, counted;

/* The row at hand. */
static struct pprof_frame path[MAX_FRAMES];
static enum frame_kind kinds[MAX_FRAMES];
static size_t depth;
static u32 pid;

bool pictures_wanted(void)
{
	return common.flamegraph || common.pprof;
}

static int create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		die_err(errno, "cannot write '%s'", path);
	return fd;
}

void pictures_open(void)
{
	if (common.flamegraph)
		svg = create(common.flamegraph);
	if (common.pprof) {
		profile = create(common.pprof);
		pprof_begin(&pprof);
	}
}

static const char *keep(const char *s, size_t n)
{
	struct buf safe = {};
	const char *kept;

	buf_safe(&safe, s, n);
	kept = intern(&strings, safe.data ?: "", safe.len);
	buf_free(&safe);
	return kept;
}

static const char *keep_hex(const u8 *bytes, u32 n)
{
	struct buf hex = {};
	const char *kept;

	for (u32 i = 0; i < n; i++)
		buf_fmt(&hex, "%02x", bytes[i]);
	kept = intern(&strings, hex.data ?: "", hex.len);
	buf_free(&hex);
	return kept;
}

void picture_frame(void *unused, const struct frame *f)
{
	struct pprof_frame *at = &path[depth];

	(void)unused;
	if (depth == MAX_FRAMES)
		return;
	*at = (struct pprof_frame){ .name = keep(f->name, f->len) };
	if (f->sym && f->sym->module)
		at->module = keep(f->sym->module, strlen(f->sym->module));
	if (f->sym && f->sym->build_id)
		at->build_id = keep_hex(f->sym->build_id, f->sym->build_id_len);
	at->address = !f->sym || f->kind == FRAME_KERNEL ? f->ip : f->sym->address;
	if (f->kind == FRAME_TASK && !depth)
		pid = f->pid;
	kinds[depth++] = f->kind;
}

/* Of a profile the task is no frame, but a label. */
static void add_sample(u64 weight)
{
	size_t first = depth && kinds[0] == FRAME_TASK;
	struct pprof_frame leaf_first[MAX_FRAMES];

	for (size_t i = first; i < depth; i++)
		leaf_first[depth - 1 - i] = path[i];
	pprof_sample(&pprof, leaf_first, depth - first, weight, first ? path[0].name : NULL, pid);
}

void picture_row(u64 weight)
{
	u32 at = 0;

	if (common.flamegraph) {
		flame_count(&flame, weight);
		for (size_t i = 0; i < depth; i++)
			at = flame_add(&flame, at, path[i].name, kinds[i], weight);
	}
	if (common.pprof)
		add_sample(weight);
	rows_seen++;
	counted += weight;
	depth = pid = 0;
}

static void put(int fd, const char *path, const struct buf *b)
{
	for (size_t done = 0; done < b->len;) {
		ssize_t n = write(fd, b->data + done, b->len - done);

		if (n < 0 && errno != EINTR)
			die_err(errno, "cannot write '%s'", path);
		done += n < 0 ? 0 : n;
	}
	if (close(fd))
		die_err(errno, "cannot write '%s'", path);
}

/* What is counted, by the column it is in. */
static const char *unit_of(const struct applet *a)
{
	const struct column *c = col_find(a->columns, a->sort ?: "");
	const char *key = c ? col_key(c) : a->unit.name ?: "count";

	return !strcmp(key, "count") ? "samples" : key;
}

static const char *pprof_unit(const char *unit)
{
	return !strcmp(unit, "us")                             ? "microseconds"
	       : !strcmp(unit, "ns") || !strcmp(unit, "nsecs") ? "nanoseconds"
	       : !strcmp(unit, "samples")                      ? "count"
							       : unit;
}

void pictures_write(const struct applet *a)
{
	const char *unit = unit_of(a);
	struct buf b = {};
	int err;

	if (common.flamegraph) {
		flame_svg(&flame, &b, a->name, unit);
		put(svg, common.flamegraph, &b);
	}
	b.len = 0;
	if (common.pprof) {
		err = pprof_end(&pprof, &b, a->name, pprof_unit(unit), clock_mono() - clock_start);
		if (err)
			die_err(err, "cannot write '%s'", common.pprof);
		put(profile, common.pprof, &b);
	}
	buf_free(&b);
	if (pictures_wanted())
		warn("%s%s%s: %llu %s in %llu stacks", common.flamegraph ?: "",
		     common.flamegraph && common.pprof ? ", " : "", common.pprof ?: "", counted,
		     unit, rows_seen);
}
