#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elffile.h"
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

/* What the notes of a file are read with. */
struct reader {
	struct elf_file file;
	u64 base; /* where .stapsdt.base is; 0: it has none */
	u8 *notes;
	u64 size;
};

/*
 * A description is three addresses (the site, .stapsdt.base as it was linked, the semaphore), then
 * provider, name and arguments. If the base is elsewhere by now (prelink), all moved with it.
 */
static bool site_of(const struct reader *r, const u8 *desc, u64 len, struct usdt_site *s)
{
	bool wide = r->file.wide;
	u32 size = wide ? 8 : 4;
	const char *p = (const char *)desc + 3 * size, *end = (const char *)desc + len;
	u64 moved;

	if (len < 3 * size)
		return false;
	*s = (struct usdt_site){ .provider = string(&p, end) };
	s->name = s->provider ? string(&p, end) : NULL;
	s->args = s->name ? string(&p, end) : NULL;
	if (!s->args)
		return false;
	moved = r->base ? r->base - address_at(desc + size, wide) : 0;
	s->address = address_at(desc, wide) + moved;
	s->semaphore = address_at(desc + 2 * size, wide);
	if (s->semaphore)
		s->semaphore += moved;
	if (!wide) {
		s->address = (u32)s->address;
		s->semaphore = (u32)s->semaphore;
	}
	elf_offset_of(&r->file.loads, s->address, &s->offset);
	elf_offset_of(&r->file.loads, s->semaphore, &s->semaphore_offset);
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
static int read_notes(struct usdt *u, const struct reader *r)
{
	u64 at = 0, name, desc;
	u32 room = 0;
	int err = 0;

	while (!err && r->size - at >= sizeof(Elf64_Nhdr)) {
		struct usdt_site s;
		Elf64_Nhdr n;

		memcpy(&n, r->notes + at, sizeof(n));
		name = at + sizeof(n);
		desc = name + ((u64)n.n_namesz + 3) / 4 * 4;
		if (desc > r->size || n.n_descsz > r->size - desc)
			break;
		if (n.n_type == NT_STAPSDT && n.n_namesz == 8 &&
		    !memcmp(r->notes + name, "stapsdt", 8)) {
			if (!site_of(r, r->notes + desc, n.n_descsz, &s))
				break;
			err = add(u, &room, &s);
		}
		at = desc + ((u64)n.n_descsz + 3) / 4 * 4;
		if (at > r->size)
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

/* A variable that operands name; there are few. */
struct usdt_symbol {
	const char *name; /* in the notes */
	size_t len;
	u64 addr;  /* as linked; 0: it was not found */
	bool many; /* static variables of different files can have one name */
};

static int compare_names(const char *a, size_t alen, const char *b, size_t blen)
{
	int cmp = memcmp(a, b, alen < blen ? alen : blen);

	return cmp ?: alen < blen ? -1 : alen > blen;
}

/* Where the symbol is, or belongs. */
static u32 symbol_place(const struct usdt *u, const char *name, size_t len)
{
	u32 low = 0, high = u->nsymbols;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (compare_names(u->symbols[mid].name, u->symbols[mid].len, name, len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct usdt_symbol *find_symbol(const struct usdt *u, const char *name, size_t len)
{
	u32 at = symbol_place(u, name, len);

	return at < u->nsymbols &&
			       !compare_names(u->symbols[at].name, u->symbols[at].len, name, len)
		       ? &u->symbols[at]
		       : NULL;
}

static void want_symbol(struct usdt *u, const char *name, size_t len)
{
	u32 at = symbol_place(u, name, len);

	if (u->nsymbols == USDT_MAX_SYMBOLS || find_symbol(u, name, len))
		return;
	memmove(&u->symbols[at + 1], &u->symbols[at], (u->nsymbols - at) * sizeof(*u->symbols));
	u->symbols[at] = (struct usdt_symbol){ .name = name, .len = len };
	u->nsymbols++;
}

/* Collects the names; without any, no symbol table needs to be read. */
static int want_symbols(struct usdt *u)
{
	u->symbols = malloc(USDT_MAX_SYMBOLS * sizeof(*u->symbols));
	if (!u->symbols)
		return -ENOMEM;
	for (u32 i = 0; i < u->n; i++) {
		const char *args = u->sites[i].args, *arg, *why;
		struct operand o;
		size_t len;

		while (usdt_arg(&args, &arg, &len))
			if (operand_parse(&o, u->machine, arg, len, &why) && o.symbol)
				want_symbol(u, o.symbol, o.symbol_len);
	}
	return 0;
}

struct lookup {
	struct usdt *u;
	const char *strings;
	u64 len;
};

static int look_up(Elf64_Sym *sym, void *arg)
{
	struct lookup *l = arg;
	const char *name = l->strings + sym->st_name;
	struct usdt_symbol *found;
	u8 type = ELF64_ST_TYPE(sym->st_info);

	if (sym->st_name >= l->len || !sym->st_value || sym->st_shndx == SHN_UNDEF ||
	    (type != STT_OBJECT && type != STT_NOTYPE))
		return 0;
	found = find_symbol(l->u, name, strnlen(name, 256));
	if (found) {
		found->many |= found->addr && found->addr != sym->st_value;
		found->addr = sym->st_value;
	}
	return 0;
}

static int find_symbols(struct usdt *u, struct elf_file *f)
{
	static const u32 types[] = { SHT_DYNSYM, SHT_SYMTAB };
	int err = want_symbols(u);

	for (int i = 0; i < 2 && u->nsymbols && !err; i++) {
		const Elf64_Shdr *table = elf_section_of_type(f, types[i]);
		struct lookup l = { u };
		char *strings;

		if (!table)
			continue;
		err = elf_strings(f, table, &strings, &l.len);
		if (err)
			break;
		l.strings = strings;
		err = elf_symbols(f, table, look_up, &l);
		free(strings);
	}
	/* Whatever is wrong with the tables, the probes stand. */
	return err == -ENOMEM ? err : 0;
}

bool usdt_operand(const struct usdt *u, const struct usdt_site *s, const char *arg, size_t len,
		  struct operand *o, const char **why)
{
	const struct usdt_symbol *symbol;

	if (!operand_parse(o, u->machine, arg, len, why))
		return false;
	if (!o->symbol)
		return true;
	symbol = find_symbol(u, o->symbol, o->symbol_len);
	if (!symbol || !symbol->addr) {
		*why = "the file has no symbol that tells where it is";
		return false;
	}
	if (symbol->many) {
		*why = "the file has several symbols of its name";
		return false;
	}
	o->value += symbol->addr;
	if (o->base == OPERAND_X86_IP) {
		o->value -= s->address;
	} else if (!u->fixed) {
		*why = "it is at a fixed address in a file that is loaded anywhere";
		return false;
	}
	o->symbol = NULL;
	return true;
}

static int read_sections(struct reader *r)
{
	const Elf64_Shdr *notes, *base;
	int err = elf_read_sections(&r->file) ?: elf_section(&r->file, ".note.stapsdt", &notes);

	if (err)
		return err;
	if (!elf_section(&r->file, ".stapsdt.base", &base))
		r->base = base->sh_addr;
	r->size = notes->sh_size;
	/* Without segments there are no offsets, and the rest stands. */
	if (elf_read_segments(&r->file) == -ENOMEM)
		return -ENOMEM;
	return elf_content(&r->file, notes, &r->notes);
}

/* r->file has been opened, with the error given. */
static int load(struct usdt *u, struct reader *r, int err)
{
	*u = (struct usdt){ .machine = r->file.machine, .fixed = r->file.header.e_type == ET_EXEC };
	if (!err)
		err = read_sections(r);
	u->notes = r->notes;
	if (!err)
		err = read_notes(u, r);
	if (!err && !u->n)
		err = -ENOENT;
	if (!err)
		err = find_symbols(u, &r->file);
	elf_close(&r->file);
	if (err)
		usdt_free(u);
	else
		qsort(u->sites, u->n, sizeof(*u->sites), by_name);
	return err;
}

int usdt_load(struct usdt *u, int fd)
{
	struct reader r = {};
	int err = elf_open(&r.file, fd);

	return load(u, &r, err);
}

int usdt_load_mem(struct usdt *u, const void *image, size_t size)
{
	struct reader r = {};
	int err = elf_open_mem(&r.file, image, size);

	return load(u, &r, err);
}

void usdt_free(struct usdt *u)
{
	free(u->sites);
	free(u->notes);
	free(u->symbols);
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
