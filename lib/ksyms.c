#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ksyms.h"

#define BLOCK       (256 << 10) /* also the longest line understood */
#define MAX_ENTRIES (8u << 20)
#define MAX_POOL    (512u << 20)
#define MAX_MODULES 65535
#define MAX_NAME    1024
#define MAX_SIZE    (256 << 10) /* no function is longer; gaps between modules are */

struct entry {
	u64 addr;
	u32 name; /* in the pool; 0 ends what comes before it and names nothing */
	u16 module;
	u8 rank; /* of two at one address, the higher is shown */
};

struct ksyms {
	char *path;
	bool loaded;
	int err;
	struct entry *entries;
	u32 n, room, count;
	char *pool;
	u32 pool_len, pool_room;
	u32 *modules; /* names in the pool; 0 is the kernel proper */
	u32 nmodules, last_module;
};

struct ksyms *ksyms_new(const char *path)
{
	struct ksyms *ks = calloc(1, sizeof(*ks));

	if (ks)
		ks->path = strdup(path ?: "/proc/kallsyms");
	if (ks && !ks->path) {
		free(ks);
		return NULL;
	}
	return ks;
}

static void forget(struct ksyms *ks)
{
	free(ks->entries);
	free(ks->pool);
	free(ks->modules);
	ks->entries = NULL;
	ks->pool = NULL;
	ks->modules = NULL;
	ks->n = ks->room = ks->count = ks->pool_len = ks->pool_room = ks->nmodules = 0;
}

void ksyms_free(struct ksyms *ks)
{
	if (!ks)
		return;
	forget(ks);
	free(ks->path);
	free(ks);
}

static int intern(struct ksyms *ks, const char *s, size_t len, u32 *at)
{
	if (len > MAX_NAME)
		len = MAX_NAME;
	if (ks->pool_len + len + 1 > ks->pool_room) {
		u32 room = ks->pool_room ? ks->pool_room * 2 : 1 << 20;
		char *p = room > MAX_POOL ? NULL : realloc(ks->pool, room);

		if (!p)
			return room > MAX_POOL ? -EFBIG : -ENOMEM;
		ks->pool = p;
		ks->pool_room = room;
	}
	*at = ks->pool_len;
	memcpy(ks->pool + ks->pool_len, s, len);
	ks->pool[ks->pool_len + len] = '\0';
	ks->pool_len += len + 1;
	return 0;
}

static bool is_module(const struct ksyms *ks, u32 i, const char *s, size_t len)
{
	const char *name = ks->pool + ks->modules[i];

	return !strncmp(name, s, len) && !name[len];
}

/* A module's lines stand together, so the one before is nearly always the one wanted. */
static int find_module(struct ksyms *ks, const char *s, size_t len, u16 *module)
{
	u32 i = ks->last_module, *p;
	int err;

	if (len > MAX_NAME)
		len = MAX_NAME;
	if (!is_module(ks, i, s, len))
		for (i = 0; i < ks->nmodules && !is_module(ks, i, s, len); i++)
			;
	if (i == ks->nmodules) {
		if (i == MAX_MODULES)
			return -EFBIG;
		p = realloc(ks->modules, (i + 1) * sizeof(*p));
		if (!p)
			return -ENOMEM;
		ks->modules = p;
		err = intern(ks, s, len, &p[i]);
		if (err)
			return err;
		ks->nmodules++;
	}
	ks->last_module = *module = i;
	return 0;
}

static int add(struct ksyms *ks, const struct entry *e)
{
	if (ks->n == ks->room) {
		u32 room = ks->room ? ks->room * 2 : 1 << 16;
		struct entry *p =
			room > MAX_ENTRIES ? NULL : realloc(ks->entries, room * sizeof(*p));

		if (!p)
			return room > MAX_ENTRIES ? -EFBIG : -ENOMEM;
		ks->entries = p;
		ks->room = room;
	}
	ks->entries[ks->n++] = *e;
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static u8 rank_of(char type)
{
	switch (type) {
	case 'T': return 3;
	case 'W':
	case 'w': return 2;
	case 't': return 1;
	default: return 0;
	}
}

/*
 * Compilers' padding before each function (CONFIG_PREFIX_SYMBOLS) never runs, and is
 * half of the table: it only ends what comes before.
 */
static bool is_padding(const char *name, const char *end)
{
	return end - name > 6 && !memcmp(name, "__pfx_", 6);
}

/* One line, without its newline. What does not look like one is passed over. */
static int parse_line(struct ksyms *ks, const char *p, const char *end)
{
	const char *start = p, *name, *tab;
	struct entry e = {};
	int digit, err = 0;

	for (; p < end && (digit = hex(*p)) >= 0; p++)
		e.addr = e.addr << 4 | digit;
	if (p == start || p - start > 16 || end - p < 4 || p[0] != ' ' || p[2] != ' ')
		return 0;
	name = p + 3;
	e.rank = is_padding(name, end) ? 0 : rank_of(p[1]);
	if (e.rank) {
		tab = memchr(name, '\t', end - name);
		if (tab && tab + 1 < end)
			err = find_module(ks, tab + 1, end - tab - 1, &e.module);
		if (!err)
			err = intern(ks, name, (tab ?: end) - name, &e.name);
		ks->count++;
	}
	return err ?: add(ks, &e);
}

static int parse(struct ksyms *ks, int fd, char *buf)
{
	size_t have = 0;
	bool skip = false; /* within a line too long to be one */
	int err;

	for (;;) {
		ssize_t got = read(fd, buf + have, BLOCK - have);
		char *p = buf, *end, *nl;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		end = buf + have + got;
		while ((nl = memchr(p, '\n', end - p))) {
			err = skip ? 0 : parse_line(ks, p, nl);
			if (err)
				return err;
			skip = false;
			p = nl + 1;
		}
		if (!got)
			return skip || p == end ? 0 : parse_line(ks, p, end);
		if (end - p == BLOCK) {
			skip = true;
			p = end;
		}
		have = end - p;
		memmove(buf, p, have);
	}
}

static int by_addr(const void *a, const void *b)
{
	u64 x = ((const struct entry *)a)->addr, y = ((const struct entry *)b)->addr;

	return x < y ? -1 : x > y;
}

/* The kernel's own lines come sorted, those of modules do not: sort these and merge. */
static int sort(struct ksyms *ks)
{
	struct entry *e = ks->entries, *tail;
	u32 head, i, j, k;

	for (head = 1; head < ks->n && e[head].addr >= e[head - 1].addr; head++)
		;
	if (head >= ks->n)
		return 0;
	j = ks->n - head;
	tail = malloc(j * sizeof(*tail));
	if (!tail)
		return -ENOMEM;
	memcpy(tail, e + head, j * sizeof(*tail));
	qsort(tail, j, sizeof(*tail), by_addr);
	for (i = head, k = ks->n; j;)
		e[--k] = i && e[i - 1].addr > tail[j - 1].addr ? e[--i] : tail[--j];
	free(tail);
	return 0;
}

static bool better(const struct ksyms *ks, const struct entry *a, const struct entry *b)
{
	if (a->rank != b->rank)
		return a->rank > b->rank;
	return a->rank && sym_better(ks->pool + a->name, ks->pool + b->name);
}

/*
 * Puts the best name of each address last, where the search lands, and drops what names
 * no code, except where it ends some.
 */
static void arrange(struct ksyms *ks)
{
	struct entry *e = ks->entries, best;
	u32 out = 0;

	for (u32 i = 0, next; i < ks->n; i = next) {
		u32 first = out;

		best = e[i];
		for (next = i + 1; next < ks->n && e[next].addr == e[i].addr; next++) {
			struct entry worse = e[next];

			if (better(ks, &worse, &best)) {
				worse = best;
				best = e[next];
			}
			if (worse.rank)
				e[out++] = worse;
		}
		if (best.rank || (first && e[first - 1].rank))
			e[out++] = best;
	}
	ks->n = out;
}

static void *shrink(void *p, size_t size)
{
	return realloc(p, size ?: 1) ?: p;
}

static bool hidden(const struct ksyms *ks)
{
	for (u32 i = 0; i < ks->n; i++)
		if (ks->entries[i].rank && ks->entries[i].addr)
			return false;
	return true;
}

static int load(struct ksyms *ks)
{
	int fd = open(ks->path, O_RDONLY | O_CLOEXEC), err;
	char *buf;
	u32 at;

	if (fd < 0)
		return -errno;
	buf = malloc(BLOCK);
	ks->modules = calloc(1, sizeof(*ks->modules));
	err = buf && ks->modules ? intern(ks, "", 0, &at) : -ENOMEM;
	ks->nmodules = 1;
	if (!err)
		err = parse(ks, fd, buf);
	free(buf);
	close(fd);
	if (!err && !ks->count)
		err = -ENODATA;
	if (!err && hidden(ks))
		err = -EPERM;
	if (!err)
		err = sort(ks);
	if (err)
		return err;
	arrange(ks);
	ks->entries = shrink(ks->entries, ks->n * sizeof(*ks->entries));
	ks->room = ks->n;
	ks->pool = shrink(ks->pool, ks->pool_len);
	ks->pool_room = ks->pool_len;
	return 0;
}

int ksyms_load(struct ksyms *ks)
{
	if (!ks->loaded) {
		ks->loaded = true;
		ks->err = load(ks);
		if (ks->err)
			forget(ks);
	}
	return ks->err;
}

int ksyms_err(const struct ksyms *ks)
{
	return ks->err;
}

const char *ksyms_why(const struct ksyms *ks)
{
	switch (ks->err) {
	case 0: return "";
	case -EPERM:
		return "the kernel hides its addresses (run as root with CAP_SYSLOG, or set "
		       "the sysctl kernel.kptr_restrict to 0)";
	case -ENOENT:
		return "no /proc/kallsyms (kernel built without CONFIG_KALLSYMS, or /proc "
		       "not mounted)";
	case -ENODATA: return "/proc/kallsyms names no functions";
	default: return strerror(-ks->err);
	}
}

int ksyms_find(struct ksyms *ks, u64 addr, struct sym *sym)
{
	int err = ksyms_load(ks);
	u32 low = 0, high = ks->n;
	const struct entry *e;

	*sym = (struct sym){ .err = err };
	if (err)
		return err;
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (ks->entries[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return -ENOENT;
	e = &ks->entries[low - 1];
	if (!e->rank || addr - e->addr >= MAX_SIZE)
		return -ENOENT;
	sym->kind = SYM_KERNEL;
	sym->name = ks->pool + e->name;
	sym->module = e->module ? ks->pool + ks->modules[e->module] : NULL;
	sym->offset = addr - e->addr;
	return 0;
}

int ksyms_find_call(struct ksyms *ks, u64 addr, struct sym *sym)
{
	int err = ksyms_find(ks, addr - 1, sym);

	if (!err)
		sym->offset++;
	return err;
}

int ksyms_address(struct ksyms *ks, const char *name, const char *module, u64 *addr)
{
	int err = ksyms_load(ks), found = 0;
	u64 last = 0;

	if (err)
		return err;
	for (u32 i = 0; i < ks->n; i++) {
		const struct entry *e = &ks->entries[i];

		if (!e->rank || strcmp(ks->pool + e->name, name) || (found && last == e->addr))
			continue;
		if (module && strcmp(ks->pool + ks->modules[e->module], module))
			continue;
		if (!found++)
			*addr = e->addr;
		last = e->addr;
	}
	return found ?: -ENOENT;
}

u32 ksyms_count(const struct ksyms *ks)
{
	return ks->count;
}

size_t ksyms_memory(const struct ksyms *ks)
{
	return ks->room * sizeof(*ks->entries) + ks->pool_room +
	       ks->nmodules * sizeof(*ks->modules);
}
