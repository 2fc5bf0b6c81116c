#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfsym.h"
#include "sym.h"

#define NONE      (~0u)
#define MAX_DEPTH 64 /* symbols within symbols looked through for one address */
#define MAX_NOTES 65536
#define BLOCK     1024 /* symbols read at once */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_ORDER ELFDATA2LSB
#else
#define OUR_ORDER ELFDATA2MSB
#endif

struct load {
	u64 offset, size, addr; /* size: in the file */
	bool exec;
};

/* 16 bytes a symbol: addresses count from the lowest of the code. */
struct symbol {
	u32 start, size, name;
	u32 outer; /* the last symbol before it that reaches over its start, or NONE */
};

struct elfsym {
	struct load loads[ELFSYM_MAX_LOADS];
	u32 nloads, n, names_len;
	u64 base;
	struct symbol *symbols;
	char *names;
	u8 build_id[32];
	u32 build_id_len;
	int err;
};

/* A symbol while its table is read. */
struct raw {
	u64 start, size, limit; /* limit: where its section ends */
	u32 name;
	u8 rank;
};

struct reader {
	int fd;
	const u8 *image; /* instead of fd */
	u64 size;
	bool wide; /* 64 bits */
	u16 machine;
	Elf64_Shdr *sections;
	u32 nsections;
	struct raw *raws;
	u32 n, room;
	char *strings;
	u64 strings_len;
};

static int read_at(const struct reader *r, u64 offset, void *to, u64 len)
{
	u8 *p = to;

	if (offset > r->size || len > r->size - offset)
		return -ENOEXEC;
	if (r->image) {
		memcpy(p, r->image + offset, len);
		return 0;
	}
	while (len) {
		ssize_t got = pread(r->fd, p, len, offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ENOEXEC;
		p += got;
		offset += got;
		len -= got;
	}
	return 0;
}

/* The 32-bit forms differ in widths and order: widen them. */
static void section_of(const struct reader *r, const u8 *p, Elf64_Shdr *s)
{
	Elf32_Shdr n;

	if (r->wide) {
		memcpy(s, p, sizeof(*s));
		return;
	}
	memcpy(&n, p, sizeof(n));
	*s = (Elf64_Shdr){ n.sh_name, n.sh_type, n.sh_flags, n.sh_addr,      n.sh_offset,
			   n.sh_size, n.sh_link, n.sh_info,  n.sh_addralign, n.sh_entsize };
}

static void segment_of(const struct reader *r, const u8 *p, Elf64_Phdr *s)
{
	Elf32_Phdr n;

	if (r->wide) {
		memcpy(s, p, sizeof(*s));
		return;
	}
	memcpy(&n, p, sizeof(n));
	*s = (Elf64_Phdr){ n.p_type,  n.p_flags,  n.p_offset, n.p_vaddr,
			   n.p_paddr, n.p_filesz, n.p_memsz,  n.p_align };
}

static void symbol_of(const struct reader *r, const u8 *p, Elf64_Sym *s)
{
	Elf32_Sym n;

	if (r->wide) {
		memcpy(s, p, sizeof(*s));
		return;
	}
	memcpy(&n, p, sizeof(n));
	*s = (Elf64_Sym){ n.st_name, n.st_info, n.st_other, n.st_shndx, n.st_value, n.st_size };
}

static int read_header(struct reader *r, Elf64_Ehdr *h)
{
	Elf32_Ehdr n;
	int err = read_at(r, 0, h, EI_NIDENT);

	if (err)
		return err;
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) || h->e_ident[EI_DATA] != OUR_ORDER)
		return -ENOEXEC;
	r->wide = h->e_ident[EI_CLASS] == ELFCLASS64;
	if (r->wide)
		return read_at(r, 0, h, sizeof(*h));
	if (h->e_ident[EI_CLASS] != ELFCLASS32)
		return -ENOEXEC;
	err = read_at(r, 0, &n, sizeof(n));
	h->e_machine = n.e_machine;
	h->e_phoff = n.e_phoff;
	h->e_phentsize = n.e_phentsize;
	h->e_phnum = n.e_phnum;
	h->e_shoff = n.e_shoff;
	h->e_shentsize = n.e_shentsize;
	h->e_shnum = n.e_shnum;
	h->e_shstrndx = n.e_shstrndx;
	return err;
}

/* Counts that do not fit the header stand in section 0 (gABI, "ELF header"). */
static int first_section(const struct reader *r, const Elf64_Ehdr *h, Elf64_Shdr *s)
{
	u8 buf[sizeof(Elf64_Shdr)];
	u32 size = r->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	int err;

	if (!h->e_shoff || h->e_shentsize != size)
		return -ENOEXEC;
	err = read_at(r, h->e_shoff, buf, size);
	if (!err)
		section_of(r, buf, s);
	return err;
}

static int read_sections(struct reader *r, const Elf64_Ehdr *h)
{
	u32 size = r->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	u64 n = h->e_shnum;
	Elf64_Shdr first;
	u8 *buf;
	int err;

	if (!h->e_shoff)
		return 0;
	err = first_section(r, h, &first);
	if (err)
		return err;
	if (!n)
		n = first.sh_size;
	if (n > ELFSYM_MAX_SECTIONS)
		return -EFBIG;
	if (h->e_shoff > r->size || n * size > r->size - h->e_shoff)
		return -ENOEXEC;
	buf = malloc(n * size ?: 1);
	r->sections = malloc(n * sizeof(*r->sections) ?: 1);
	err = buf && r->sections ? read_at(r, h->e_shoff, buf, n * size) : -ENOMEM;
	for (u64 i = 0; !err && i < n; i++)
		section_of(r, buf + i * size, &r->sections[i]);
	r->nsections = err ? 0 : n;
	free(buf);
	return err;
}

/* A note is name length, description length, type, then both, each padded to 4 bytes. */
static int read_build_id(struct elfsym *e, const struct reader *r, const Elf64_Phdr *s)
{
	u64 len = s->p_filesz < MAX_NOTES ? s->p_filesz : MAX_NOTES, at = 0;
	u8 *buf = malloc(len ?: 1);
	int err = buf ? read_at(r, s->p_offset, buf, len) : -ENOMEM;
	Elf64_Nhdr n;

	while (!err && len - at >= sizeof(n)) {
		u64 desc, next;

		memcpy(&n, buf + at, sizeof(n));
		at += sizeof(n);
		desc = at + ((u64)n.n_namesz + 3) / 4 * 4;
		next = desc + ((u64)n.n_descsz + 3) / 4 * 4;
		if (desc > len || n.n_descsz > len - desc)
			break;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && !memcmp(buf + at, "GNU", 4) &&
		    n.n_descsz && n.n_descsz <= sizeof(e->build_id)) {
			memcpy(e->build_id, buf + desc, n.n_descsz);
			e->build_id_len = n.n_descsz;
			break;
		}
		at = next < len ? next : len;
	}
	free(buf);
	return err;
}

static void add_load(struct elfsym *e, const struct reader *r, const Elf64_Phdr *s)
{
	u64 size = s->p_filesz;

	if (e->nloads == ELFSYM_MAX_LOADS || s->p_offset > r->size)
		return;
	if (size > r->size - s->p_offset)
		size = r->size - s->p_offset;
	if (size && s->p_vaddr <= ~0ull - size)
		e->loads[e->nloads++] =
			(struct load){ s->p_offset, size, s->p_vaddr, s->p_flags & PF_X };
}

static int read_segments(struct elfsym *e, const struct reader *r, const Elf64_Ehdr *h)
{
	u32 size = r->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), notes = 0;
	u64 n = h->e_phnum;
	Elf64_Shdr first;
	Elf64_Phdr s;
	u8 *buf;
	int err;

	if (n == PN_XNUM && !first_section(r, h, &first))
		n = first.sh_info;
	if (!n || h->e_phentsize != size)
		return -ENOEXEC;
	if (n > ELFSYM_MAX_SEGMENTS)
		return -EFBIG;
	buf = malloc(n * size);
	err = buf ? read_at(r, h->e_phoff, buf, n * size) : -ENOMEM;
	for (u64 i = 0; !err && i < n; i++) {
		segment_of(r, buf + i * size, &s);
		if (s.p_type == PT_LOAD)
			add_load(e, r, &s);
		else if (s.p_type == PT_NOTE && !e->build_id_len && notes++ < 16)
			read_build_id(e, r, &s);
	}
	free(buf);
	return err;
}

static const struct load *load_at(const struct elfsym *e, u64 addr)
{
	for (u32 i = 0; i < e->nloads; i++)
		if (e->loads[i].exec && addr >= e->loads[i].addr &&
		    addr - e->loads[i].addr < e->loads[i].size)
			return &e->loads[i];
	return NULL;
}

static u8 rank_of(const Elf64_Sym *s)
{
	u8 bind = ELF64_ST_BIND(s->st_info);

	return (s->st_size ? 4 : 0) + (bind == STB_GLOBAL || bind == STB_WEAK ? 1 : 0);
}

static int add_symbol(struct elfsym *e, struct reader *r, Elf64_Sym *s, u64 strings, u64 len)
{
	u8 type = ELF64_ST_TYPE(s->st_info);
	const struct load *load;
	u64 limit;

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || s->st_shndx == SHN_UNDEF ||
	    s->st_shndx == SHN_ABS || !s->st_name || s->st_name >= len)
		return 0;
	if (r->machine == EM_ARM)
		s->st_value &= ~1ull; /* bit 0 says that it is Thumb code */
	load = load_at(e, s->st_value);
	if (!load || s->st_value - e->base >= NONE)
		return 0;
	limit = load->addr + load->size;
	if (s->st_shndx < r->nsections) {
		const Elf64_Shdr *in = &r->sections[s->st_shndx];

		if (s->st_value >= in->sh_addr && in->sh_size < limit - in->sh_addr)
			limit = in->sh_addr + in->sh_size;
	}
	if (limit <= s->st_value)
		return 0;
	if (r->n == r->room) {
		u32 room = r->room ? r->room * 2 : 1024;
		struct raw *p =
			room > ELFSYM_MAX_SYMBOLS ? NULL : realloc(r->raws, room * sizeof(*p));

		if (!p)
			return room > ELFSYM_MAX_SYMBOLS ? -EFBIG : -ENOMEM;
		r->raws = p;
		r->room = room;
	}
	if (s->st_size > limit - s->st_value)
		s->st_size = limit - s->st_value;
	r->raws[r->n++] = (struct raw){ s->st_value, s->st_size, limit, (u32)(strings + s->st_name),
					rank_of(s) };
	return 0;
}

static int scan_table(struct elfsym *e, struct reader *r, const Elf64_Shdr *table, u64 strings,
		      u64 len)
{
	u32 size = r->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	u64 n = table->sh_size / size, offset = table->sh_offset;
	u8 *buf = malloc(BLOCK * sizeof(Elf64_Sym));
	int err = !buf ? -ENOMEM : n > ELFSYM_MAX_SCANNED ? -EFBIG : 0;

	while (n && !err) {
		u32 some = n < BLOCK ? n : BLOCK;

		err = read_at(r, offset, buf, some * size);
		for (u32 i = 0; i < some && !err; i++) {
			Elf64_Sym s;

			symbol_of(r, buf + i * size, &s);
			err = add_symbol(e, r, &s, strings, len);
		}
		offset += some * size;
		n -= some;
	}
	free(buf);
	return err;
}

/* Appends a string table, so that a name is one offset whichever table it is from. */
static int read_strings(struct reader *r, const Elf64_Shdr *s)
{
	u64 len = s->sh_size;
	char *p;
	int err;

	if (len > ELFSYM_MAX_STRINGS)
		return -EFBIG;
	if (s->sh_offset > r->size || len > r->size - s->sh_offset)
		return -ENOEXEC;
	p = realloc(r->strings, r->strings_len + len + 1);
	if (!p)
		return -ENOMEM;
	r->strings = p;
	err = read_at(r, s->sh_offset, p + r->strings_len, len);
	if (err)
		return err;
	r->strings_len += len + 1;
	p[r->strings_len - 1] = '\0'; /* it need not end in one */
	return 0;
}

/* The symbols of the first section of this type, if there is one. */
static int read_table(struct elfsym *e, struct reader *r, u32 type)
{
	const Elf64_Shdr *table = NULL, *strings;
	u32 size = r->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym), before = r->n;
	int err;

	for (u32 i = 0; i < r->nsections && !table; i++)
		if (r->sections[i].sh_type == type)
			table = &r->sections[i];
	if (!table)
		return 0;
	if (table->sh_entsize != size || table->sh_link >= r->nsections)
		return -ENOEXEC;
	strings = &r->sections[table->sh_link];
	if (strings->sh_type != SHT_STRTAB)
		return -ENOEXEC;
	err = scan_table(e, r, table, r->strings_len, strings->sh_size);
	if (!err && r->n > before)
		err = read_strings(r, strings);
	if (err)
		r->n = before;
	return err;
}

static int by_start(const void *a, const void *b)
{
	const struct raw *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return (int)y->rank - (int)x->rank;
}

static bool better(const struct reader *r, const struct raw *a, const struct raw *b)
{
	if (a->size != b->size || a->rank != b->rank)
		return false; /* b came first */
	return sym_better(r->strings + a->name, r->strings + b->name);
}

/* Sorts, and keeps one name an address: the largest, most public, plainest. */
static void choose(struct reader *r)
{
	u32 out = 0;

	qsort(r->raws, r->n, sizeof(*r->raws), by_start);
	for (u32 i = 0; i < r->n; i++) {
		if (!r->strings[r->raws[i].name])
			continue;
		if (!out || r->raws[out - 1].start != r->raws[i].start)
			r->raws[out++] = r->raws[i];
		else if (better(r, &r->raws[i], &r->raws[out - 1]))
			r->raws[out - 1] = r->raws[i];
	}
	r->n = out;
}

static void keep_symbols(struct elfsym *e, const struct reader *r)
{
	for (u32 i = 0; i < r->n; i++) {
		const struct raw *raw = &r->raws[i];
		struct symbol *s = &e->symbols[i];
		u64 size = raw->size;
		u32 j = i - 1;

		if (!size) {
			size = raw->limit - raw->start;
			if (i + 1 < r->n && raw[1].start - raw->start < size)
				size = raw[1].start - raw->start;
		}
		s->start = raw->start - e->base;
		s->size = size < NONE - s->start ? size : NONE - s->start;
		s->name = raw->name;
		/* What ends before this start ends before all later ones: never met again. */
		while (j != NONE && e->symbols[j].start + e->symbols[j].size <= s->start)
			j = e->symbols[j].outer;
		s->outer = j;
	}
	e->n = r->n;
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Moves the names in use together, in place; strings that share a tail go on sharing it. */
static int keep_names(struct elfsym *e, struct reader *r)
{
	u64 *order = malloc(e->n * sizeof(*order) ?: 1);
	u32 end = 0, shift = 0, out = 0; /* end: of what was moved last, before moving */

	if (!order)
		return -ENOMEM;
	for (u32 i = 0; i < e->n; i++)
		order[i] = (u64)e->symbols[i].name << 32 | i;
	qsort(order, e->n, sizeof(*order), by_value);
	for (u32 i = 0; i < e->n; i++) {
		u32 name = order[i] >> 32;

		if (name >= end) {
			size_t len = strnlen(r->strings + name, ELFSYM_MAX_NAME);

			memmove(r->strings + out, r->strings + name, len);
			r->strings[out + len] = '\0';
			shift = name - out;
			end = name + len + 1;
			out += len + 1;
		}
		e->symbols[(u32)order[i]].name = name - shift;
	}
	free(order);
	e->names = realloc(r->strings, out ?: 1) ?: r->strings;
	e->names_len = out;
	r->strings = NULL;
	return 0;
}

static int read_symbols(struct elfsym *e, struct reader *r)
{
	int err = read_table(e, r, SHT_SYMTAB), dyn = read_table(e, r, SHT_DYNSYM);

	if (err == -ENOMEM || dyn == -ENOMEM)
		return -ENOMEM;
	e->err = err ?: dyn;
	if (!r->n)
		return 0;
	choose(r);
	e->symbols = malloc(r->n * sizeof(*e->symbols) ?: 1);
	if (!e->symbols)
		return -ENOMEM;
	keep_symbols(e, r);
	return keep_names(e, r);
}

static int load(struct elfsym **out, struct reader *r)
{
	struct elfsym *e = calloc(1, sizeof(*e));
	Elf64_Ehdr h;
	int err = e ? read_header(r, &h) : -ENOMEM;

	if (!err) {
		r->machine = h.e_machine;
		err = read_segments(e, r, &h);
	}
	if (!err) {
		e->base = ~0ull;
		for (u32 i = 0; i < e->nloads; i++)
			if (e->loads[i].exec && e->loads[i].addr < e->base)
				e->base = e->loads[i].addr;
		e->err = read_sections(r, &h);
		if (e->err == -ENOMEM)
			err = -ENOMEM;
		else if (!e->err)
			err = read_symbols(e, r);
	}
	free(r->sections);
	free(r->raws);
	free(r->strings);
	if (err)
		elfsym_free(e);
	else
		*out = e;
	return err;
}

static int open_reader(struct reader *r, int fd)
{
	struct stat st;

	*r = (struct reader){ .fd = fd };
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	r->size = st.st_size;
	return 0;
}

int elfsym_load(struct elfsym **e, int fd)
{
	struct reader r;
	int err = open_reader(&r, fd);

	return err ?: load(e, &r);
}

/* Whether the name at `at` is this one, its NUL included. */
static bool is_named(const struct reader *r, u64 at, const char *name)
{
	char found[64];
	size_t len = strlen(name) + 1;

	return len <= sizeof(found) && !read_at(r, at, found, len) && !memcmp(found, name, len);
}

static int find_section(const struct reader *r, u32 names, const char *name, Elf64_Shdr *found)
{
	u64 at;

	if (names >= r->nsections)
		return -ENOEXEC;
	for (u32 i = 0; i < r->nsections; i++) {
		const Elf64_Shdr *s = &r->sections[i];

		if (!__builtin_add_overflow(r->sections[names].sh_offset, s->sh_name, &at) &&
		    s->sh_name < r->sections[names].sh_size && is_named(r, at, name)) {
			*found = *s;
			return 0;
		}
	}
	return -ENOENT;
}

static int take_section(struct reader *r, const char *name, bool content, struct elf_section *s)
{
	Elf64_Shdr first, found;
	u32 names = 0;
	Elf64_Ehdr h;
	int err = read_header(r, &h);

	*s = (struct elf_section){};
	if (!err)
		err = read_sections(r, &h);
	if (!err && !r->nsections)
		err = -ENOENT;
	if (!err) {
		names = h.e_shstrndx;
		if (names == SHN_XINDEX && !first_section(r, &h, &first))
			names = first.sh_link;
		err = find_section(r, names, name, &found);
	}
	if (!err && content && found.sh_type == SHT_NOBITS)
		err = -ENOEXEC;
	if (!err && content && found.sh_size > ELFSYM_MAX_CONTENT)
		err = -EFBIG;
	if (!err) {
		*s = (struct elf_section){ NULL, found.sh_size, found.sh_addr, r->wide };
		if (content && !(s->data = malloc(s->size ?: 1)))
			err = -ENOMEM;
	}
	if (!err && content)
		err = read_at(r, found.sh_offset, s->data, s->size);
	if (err) {
		free(s->data);
		s->data = NULL;
	}
	free(r->sections);
	return err;
}

int elf_section(int fd, const char *name, bool content, struct elf_section *s)
{
	struct reader r;
	int err = open_reader(&r, fd);

	return err ?: take_section(&r, name, content, s);
}

int elf_section_mem(const void *image, size_t size, const char *name, bool content,
		    struct elf_section *s)
{
	struct reader r = { .fd = -1, .image = image, .size = size };

	return take_section(&r, name, content, s);
}

int elfsym_load_mem(struct elfsym **e, const void *image, size_t size)
{
	struct reader r = { .fd = -1, .image = image, .size = size };

	return load(e, &r);
}

void elfsym_free(struct elfsym *e)
{
	if (!e)
		return;
	free(e->symbols);
	free(e->names);
	free(e);
}

int elfsym_err(const struct elfsym *e)
{
	return e->err;
}

size_t elfsym_memory(const struct elfsym *e)
{
	return sizeof(*e) + e->n * sizeof(*e->symbols) + e->names_len;
}

u32 elfsym_count(const struct elfsym *e)
{
	return e->n;
}

const u8 *elfsym_build_id(const struct elfsym *e, u32 *len)
{
	*len = e->build_id_len;
	return e->build_id_len ? e->build_id : NULL;
}

/* Two segments may share a page of the file; what executes is in the executable one. */
bool elfsym_address(const struct elfsym *e, u64 file_offset, u64 *addr)
{
	for (int exec = 1; exec >= 0; exec--) {
		for (u32 i = 0; i < e->nloads; i++) {
			const struct load *l = &e->loads[i];

			if (l->exec != exec || file_offset < l->offset ||
			    file_offset - l->offset >= l->size)
				continue;
			*addr = l->addr + (file_offset - l->offset);
			return true;
		}
	}
	return false;
}

const char *elfsym_find(const struct elfsym *e, u64 addr, u64 *offset)
{
	u32 low = 0, high = e->n, at;

	if (!e->n || addr < e->base || addr - e->base >= NONE)
		return NULL;
	at = addr - e->base;
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (e->symbols[mid].start <= at)
			low = mid + 1;
		else
			high = mid;
	}
	low--;
	for (int depth = 0; low != NONE && depth < MAX_DEPTH; depth++) {
		const struct symbol *s = &e->symbols[low];

		if (at - s->start < s->size) {
			*offset = at - s->start;
			return e->names + s->name;
		}
		low = s->outer;
	}
	return NULL;
}
