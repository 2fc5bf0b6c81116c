#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kdata.h"
#include "util.h"

struct variable {
	u64 addr;
	char *name; /* NULL: what is here is none */
};

static struct variable *variables;
static size_t known, room;

/* Calls each() for the symbols of the kernel proper until it returns true. 0 or -errno. */
static int each_symbol(bool (*each)(u64 addr, char type, const char *name, void *ctx), void *ctx)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], name[256], type;
	unsigned long long addr;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (!strchr(line, '[') && sscanf(line, "%llx %c %255s", &addr, &type, name) == 3 &&
		    each(addr, type, name, ctx))
			break;
	fclose(f);
	return 0;
}

struct search {
	const char *name;
	u64 addr;
	bool found;
};

static bool is_named(u64 addr, char type, const char *name, void *ctx)
{
	struct search *s = ctx;

	if (!strchr("bBdDrR", type) || strcmp(name, s->name))
		return false;
	s->addr = addr;
	s->found = true;
	return true;
}

int kdata_address(const char *name, u64 *addr)
{
	struct search s = { .name = name };
	int err = each_symbol(is_named, &s);

	if (err)
		return err;
	*addr = s.addr;
	return !s.found ? -ENOENT : s.addr ? 0 : -EPERM;
}

static bool remember(u64 addr, char type, const char *name, void *ctx)
{
	(void)ctx;
	if (!addr) /* hidden, or of a CPU each: an offset */
		return false;
	if (known == room) {
		room = room * 2 ?: 4096;
		variables = xrealloc(variables, room * sizeof(*variables));
	}
	variables[known++] =
		(struct variable){ addr, strchr("bBdDrR", type) ? xasprintf("%s", name) : NULL };
	return false;
}

static int by_address(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* The last symbol that is not above the address; NULL: there is none, or it is the last of all. */
static const struct variable *at(u64 addr)
{
	size_t low = 0, high = known;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (variables[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && low < known ? &variables[low - 1] : NULL;
}

void kdata_name(struct buf *b, u64 addr)
{
	static bool loaded;
	const struct variable *v;

	if (!loaded) {
		each_symbol(remember, NULL);
		qsort(variables, known, sizeof(*variables), by_address);
		loaded = true;
	}
	v = at(addr);
	if (!v || !v->name) {
		buf_hex(b, addr);
		return;
	}
	buf_str(b, v->name);
	if (v->addr < addr)
		buf_fmt(b, "+0x%llx", addr - v->addr);
}
