#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfmap.h"

#define NONE      (~0u)
#define BLOCK     (256 << 10)
#define MAX_FILE  (256ull << 20) /* read of a file */
#define MAX_ROWS  (2u << 20)
#define MAX_NAME  1024u
#define MAX_DEPTH 64 /* rows within rows looked through for one address */

struct row {
	u64 start;
	u32 size, name; /* name: in the pool, which is in the order of the file */
	u32 outer;      /* the last row before it that reaches over its start, or NONE */
};

struct perfmap {
	struct row *rows;
	u32 n, room;
	char *pool;
	u32 pool_len, pool_room;
};

static const char *hex(const char *p, const char *end, u64 *v)
{
	const char *from;
	int digit;

	if (end - p > 2 && p[0] == '0' && (p[1] | 32) == 'x')
		p += 2;
	*v = 0;
	for (from = p; p < end; p++) {
		if (*p >= '0' && *p <= '9')
			digit = *p - '0';
		else if ((*p | 32) >= 'a' && (*p | 32) <= 'f')
			digit = (*p | 32) - 'a' + 10;
		else
			break;
		*v = *v << 4 | digit;
	}
	return p > from && p - from <= 16 && p < end && *p == ' ' ? p + 1 : NULL;
}

static int add(struct perfmap *pm, u64 start, u64 size, const char *name, size_t len)
{
	if (len > MAX_NAME)
		len = MAX_NAME;
	if (pm->n == pm->room) {
		u32 room = pm->room ? pm->room * 2 : 1024;
		struct row *p = realloc(pm->rows, room * sizeof(*p));

		if (!p)
			return -ENOMEM;
		pm->rows = p;
		pm->room = room;
	}
	if (pm->pool_len + len + 1 > pm->pool_room) {
		u32 room = (pm->pool_len + len + 1) * 2;
		char *p = realloc(pm->pool, room);

		if (!p)
			return -ENOMEM;
		pm->pool = p;
		pm->pool_room = room;
	}
	pm->rows[pm->n++] = (struct row){ start, size, pm->pool_len, NONE };
	memcpy(pm->pool + pm->pool_len, name, len);
	pm->pool[pm->pool_len + len] = '\0';
	pm->pool_len += len + 1;
	return 0;
}

static int parse_line(struct perfmap *pm, const char *p, const char *end)
{
	u64 start, size;

	p = hex(p, end, &start);
	p = p ? hex(p, end, &size) : NULL;
	if (!p || p == end || !size || size >= NONE || start > ~0ull - size || pm->n == MAX_ROWS)
		return 0;
	return add(pm, start, size, p, strnlen(p, end - p));
}

/* Whole lines only, unless it is the last of all: its writer may not be done with it. */
static int parse(struct perfmap *pm, const char **text, const char *end)
{
	const char *p = *text, *nl;
	int err = 0;

	while (!err && (nl = memchr(p, '\n', end - p))) {
		err = parse_line(pm, p, nl);
		p = nl + 1;
	}
	*text = p;
	return err;
}

static int by_start(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name; /* the newest last */
}

static u64 end_of(const struct row *r)
{
	return r->start + r->size;
}

/* One row a start, the newest. */
static void arrange(struct perfmap *pm)
{
	u32 out = 0;

	if (pm->n)
		qsort(pm->rows, pm->n, sizeof(*pm->rows), by_start);
	for (u32 i = 0; i < pm->n; i++) {
		struct row *r = &pm->rows[i];
		u32 j;

		if (i + 1 < pm->n && r[1].start == r->start)
			continue;
		for (j = out - 1; j != NONE && end_of(&pm->rows[j]) <= r->start;)
			j = pm->rows[j].outer;
		pm->rows[out] = *r;
		pm->rows[out++].outer = j;
	}
	pm->n = out;
}

static int finish(struct perfmap **out, struct perfmap *pm, int err)
{
	if (err) {
		perfmap_free(pm);
		return err;
	}
	arrange(pm);
	*out = pm;
	return 0;
}

int perfmap_load_mem(struct perfmap **out, const char *text, size_t len)
{
	struct perfmap *pm = calloc(1, sizeof(*pm));

	return finish(out, pm, pm ? parse(pm, &text, text + len) : -ENOMEM);
}

static int read_file(struct perfmap *pm, int fd, char *buf)
{
	size_t have = 0;
	bool skip = false; /* within a line too long to be one */
	int err = 0;

	for (u64 at = 0; !err && at < MAX_FILE;) {
		ssize_t got = pread(fd, buf + have, BLOCK - have, at);
		const char *p = buf, *end;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : 0;
		at += got;
		end = buf + have + got;
		if (skip) {
			const char *nl = memchr(p, '\n', end - p);

			p = nl ? nl + 1 : end;
			skip = !nl;
		}
		err = parse(pm, &p, end);
		if (end - p == BLOCK) {
			skip = true;
			p = end;
		}
		have = end - p;
		memmove(buf, p, have);
	}
	return err;
}

int perfmap_load(struct perfmap **out, int fd)
{
	struct perfmap *pm = calloc(1, sizeof(*pm));
	char *buf = malloc(BLOCK);
	int err = pm && buf ? read_file(pm, fd, buf) : -ENOMEM;

	free(buf);
	return finish(out, pm, err);
}

void perfmap_free(struct perfmap *pm)
{
	if (!pm)
		return;
	free(pm->rows);
	free(pm->pool);
	free(pm);
}

const char *perfmap_find(const struct perfmap *pm, u64 addr, u64 *offset)
{
	const struct row *best = NULL;
	u32 low = 0, high = pm->n;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (pm->rows[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	low--;
	for (int depth = 0; low != NONE && depth < MAX_DEPTH; depth++) {
		const struct row *r = &pm->rows[low];

		if (addr - r->start < r->size && (!best || r->name > best->name))
			best = r;
		low = r->outer;
	}
	if (!best)
		return NULL;
	*offset = addr - best->start;
	return pm->pool + best->name;
}

u32 perfmap_count(const struct perfmap *pm)
{
	return pm->n;
}

size_t perfmap_memory(const struct perfmap *pm)
{
	return sizeof(*pm) + pm->room * sizeof(*pm->rows) + pm->pool_room;
}
