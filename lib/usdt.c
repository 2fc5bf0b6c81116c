#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfsym.h"
#include "usdt.h"

#define NT_STAPSDT 3

static u64 address_at(const u8 *p, bool wide)
{
	u64 v64;
	u32 v32;

	if (wide) {
		memcpy(&v64, p, sizeof(v64));
		return v64;
	}
	memcpy(&v32, p, sizeof(v32));
	return v32;
}

/* A string that ends within the note; NULL: it does not. */
static const char *string(const char **p, const char *end)
{
	const char *s = *p, *nul = memchr(s, '\0', end - s);

	if (!nul)
		return NULL;
	*p = nul + 1;
	return s;
}

/*
 * A description is three addresses (the site, .stapsdt.base as it was linked, the semaphore), then
 * provider, name and arguments. If the base is elsewhere by now (prelink), all moved with it.
 */
static bool site_of(const u8 *desc, u64 len, const struct elf_section *base, bool wide,
		    struct usdt_site *s)
{
	u32 size = wide ? 8 : 4;
	const char *p = (const char *)desc + 3 * size, *end = (const char *)desc + len;
	u64 moved;

	if (len < 3 * size)
		return false;
	s->provider = string(&p, end);
	s->name = s->provider ? string(&p, end) : NULL;
	s->args = s->name ? string(&p, end) : NULL;
	if (!s->args)
		return false;
	moved = base->addr ? base->addr - address_at(desc + size, wide) : 0;
	s->address = address_at(desc, wide) + moved;
	s->semaphore = address_at(desc + 2 * size, wide);
	if (s->semaphore)
		s->semaphore += moved;
	if (!wide) {
		s->address = (u32)s->address;
		s->semaphore = (u32)s->semaphore;
	}
	return true;
}

static int add(struct usdt *u, u32 *room, const struct usdt_site *s)
{
	struct usdt_site *more;

	if (u->n == USDT_MAX_SITES)
		return -EFBIG;
	if (u->n == *room) {
		*room = *room ? *room * 2 : 64;
		more = realloc(u->sites, *room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		u->sites = more;
	}
	u->sites[u->n++] = *s;
	return 0;
}

/* Notes are padded to four bytes. */
static int read_notes(struct usdt *u, const struct elf_section *notes,
		      const struct elf_section *base)
{
	u64 at = 0, name, desc;
	u32 room = 0;
	int err = 0;

	while (!err && notes->size - at >= sizeof(Elf64_Nhdr)) {
		struct usdt_site s;
		Elf64_Nhdr n;

		memcpy(&n, notes->data + at, sizeof(n));
		name = at + sizeof(n);
		desc = name + ((u64)n.n_namesz + 3) / 4 * 4;
		if (desc > notes->size || n.n_descsz > notes->size - desc)
			break;
		if (n.n_type == NT_STAPSDT && n.n_namesz == 8 &&
		    !memcmp(notes->data + name, "stapsdt", 8)) {
			if (!site_of(notes->data + desc, n.n_descsz, base, notes->wide, &s))
				break;
			err = add(u, &room, &s);
		}
		at = desc + ((u64)n.n_descsz + 3) / 4 * 4;
		if (at > notes->size)
			break;
	}
	return err;
}

static int by_name(const void *a, const void *b)
{
	const struct usdt_site *x = a, *y = b;
	int cmp = strcmp(x->provider, y->provider) ?: strcmp(x->name, y->name);

	return cmp ?: x->address < y->address ? -1 : x->address > y->address;
}

static int load(struct usdt *u, struct elf_section *notes, const struct elf_section *base)
{
	int err = read_notes(u, notes, base);

	u->notes = notes->data;
	if (!err && !u->n)
		err = -ENOENT;
	if (err)
		usdt_free(u);
	else
		qsort(u->sites, u->n, sizeof(*u->sites), by_name);
	return err;
}

int usdt_load(struct usdt *u, int fd)
{
	struct elf_section notes, base;
	int err = elf_section(fd, ".note.stapsdt", true, &notes);

	*u = (struct usdt){};
	if (!err && elf_section(fd, ".stapsdt.base", false, &base))
		base = (struct elf_section){};
	return err ?: load(u, &notes, &base);
}

int usdt_load_mem(struct usdt *u, const void *image, size_t size)
{
	struct elf_section notes, base;
	int err = elf_section_mem(image, size, ".note.stapsdt", true, &notes);

	*u = (struct usdt){};
	if (!err && elf_section_mem(image, size, ".stapsdt.base", false, &base))
		base = (struct elf_section){};
	return err ?: load(u, &notes, &base);
}

void usdt_free(struct usdt *u)
{
	free(u->sites);
	free(u->notes);
	*u = (struct usdt){};
}

u32 usdt_same(const struct usdt *u, u32 first)
{
	const struct usdt_site *s = &u->sites[first];
	u32 n = 1;

	while (first + n < u->n && !strcmp(s->provider, s[n].provider) &&
	       !strcmp(s->name, s[n].name))
		n++;
	return n;
}

/* An operand may hold spaces, "4@[sp, 60]": a word without @ belongs to the one before. */
bool usdt_arg(const char **args, const char **arg, size_t *len)
{
	const char *p = *args + strspn(*args, " "), *end = p + strcspn(p, " ");

	if (p == end)
		return false;
	*arg = p;
	for (;;) {
		const char *word = end + strspn(end, " "), *next = word + strcspn(word, " ");

		if (word == next || memchr(word, '@', next - word))
			break;
		end = next;
	}
	*len = end - p;
	*args = end;
	return true;
}
