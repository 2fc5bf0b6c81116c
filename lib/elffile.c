#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elffile.h"

#define BLOCK     1024 /* symbols read at once */
#define MAX_NOTES 65536

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_ORDER ELFDATA2LSB
#else
#define OUR_ORDER ELFDATA2MSB
#endif

int elf_read(const struct elf_file *f, u64 offset, void *to, u64 len)
{
	u8 *p = to;

	if (offset > f->size || len > f->size - offset)
		return -ENOEXEC;
	if (f->image) {
		memcpy(p, f->image + offset, len);
		return 0;
	}
	while (len) {
		ssize_t got = pread(f->fd, p, len, offset);

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
static void section_of(const struct elf_file *f, const u8 *p, Elf64_Shdr *s)
{
	Elf32_Shdr n;

	if (f->wide) {
		memcpy(s, p, sizeof(*s));
		return;
	}
	memcpy(&n, p, sizeof(n));
	*s = (Elf64_Shdr){ n.sh_name, n.sh_type, n.sh_flags, n.sh_addr,      n.sh_offset,
			   n.sh_size, n.sh_link, n.sh_info,  n.sh_addralign, n.sh_entsize };
}

static void segment_of(const struct elf_file *f, const u8 *p, Elf64_Phdr *s)
{
	Elf32_Phdr n;

	if (f->wide) {
		memcpy(s, p, sizeof(*s));
		return;
	}
	memcpy(&n, p, sizeof(n));
	*s = (Elf64_Phdr){ n.p_type,  n.p_flags,  n.p_offset, n.p_vaddr,
			   n.p_paddr, n.p_filesz, n.p_memsz,  n.p_align };
}

static void symbol_of(const struct elf_file *f, const u8 *p, Elf64_Sym *s)
{
	Elf32_Sym n;

	if (f->wide) {
		memcpy(s, p, sizeof(*s));
		return;
	}
	memcpy(&n, p, sizeof(n));
	*s = (Elf64_Sym){ n.st_name, n.st_info, n.st_other, n.st_shndx, n.st_value, n.st_size };
}

static int read_header(struct elf_file *f)
{
	Elf64_Ehdr *h = &f->header;
	Elf32_Ehdr n;
	int err = elf_read(f, 0, h, EI_NIDENT);

	if (err)
		return err;
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) || h->e_ident[EI_DATA] != OUR_ORDER)
		return -ENOEXEC;
	f->wide = h->e_ident[EI_CLASS] == ELFCLASS64;
	if (f->wide) {
		err = elf_read(f, 0, h, sizeof(*h));
	} else {
		if (h->e_ident[EI_CLASS] != ELFCLASS32)
			return -ENOEXEC;
		err = elf_read(f, 0, &n, sizeof(n));
		if (err)
			return err;
		h->e_type = n.e_type;
		h->e_machine = n.e_machine;
		h->e_phoff = n.e_phoff;
		h->e_phentsize = n.e_phentsize;
		h->e_phnum = n.e_phnum;
		h->e_shoff = n.e_shoff;
		h->e_shentsize = n.e_shentsize;
		h->e_shnum = n.e_shnum;
		h->e_shstrndx = n.e_shstrndx;
	}
	f->machine = h->e_machine;
	return err;
}

int elf_open(struct elf_file *f, int fd)
{
	struct stat st;

	*f = (struct elf_file){ .fd = fd };
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	f->size = st.st_size;
	return read_header(f);
}

int elf_open_mem(struct elf_file *f, const void *image, size_t size)
{
	*f = (struct elf_file){ .fd = -1, .image = image, .size = size };
	return read_header(f);
}

void elf_close(struct elf_file *f)
{
	free(f->sections);
	free(f->segments);
	f->sections = NULL;
	f->segments = NULL;
	f->nsections = f->nsegments = 0;
}

/* Counts that do not fit the header stand in section 0 (gABI, "ELF header"). */
static int first_section(const struct elf_file *f, Elf64_Shdr *s)
{
	u8 buf[sizeof(Elf64_Shdr)];
	u32 size = f->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	int err;

	if (!f->header.e_shoff || f->header.e_shentsize != size)
		return -ENOEXEC;
	err = elf_read(f, f->header.e_shoff, buf, size);
	if (!err)
		section_of(f, buf, s);
	return err;
}

int elf_read_sections(struct elf_file *f)
{
	u32 size = f->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	u64 n = f->header.e_shnum, at = f->header.e_shoff;
	Elf64_Shdr first;
	u8 *buf;
	int err;

	if (!at || f->sections)
		return 0;
	err = first_section(f, &first);
	if (err)
		return err;
	if (!n)
		n = first.sh_size;
	if (n > ELF_MAX_SECTIONS)
		return -EFBIG;
	if (at > f->size || n * size > f->size - at)
		return -ENOEXEC;
	buf = malloc(n * size ?: 1);
	f->sections = malloc(n * sizeof(*f->sections) ?: 1);
	err = buf && f->sections ? elf_read(f, at, buf, n * size) : -ENOMEM;
	for (u64 i = 0; !err && i < n; i++)
		section_of(f, buf + i * size, &f->sections[i]);
	f->nsections = err ? 0 : n;
	free(buf);
	return err;
}

static void add_load(struct elf_file *f, const Elf64_Phdr *s)
{
	u64 size = s->p_filesz;

	if (f->loads.n == ELF_MAX_LOADS || s->p_offset > f->size)
		return;
	if (size > f->size - s->p_offset)
		size = f->size - s->p_offset;
	if (size && s->p_vaddr <= ~0ull - size)
		f->loads.at[f->loads.n++] =
			(struct elf_load){ s->p_offset, size, s->p_vaddr, s->p_flags & PF_X };
}

int elf_read_segments(struct elf_file *f)
{
	u32 size = f->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	u64 n = f->header.e_phnum;
	Elf64_Shdr first;
	u8 *buf;
	int err;

	if (f->segments)
		return 0;
	if (n == PN_XNUM && !first_section(f, &first))
		n = first.sh_info;
	if (!n || f->header.e_phentsize != size)
		return -ENOEXEC;
	if (n > ELF_MAX_SEGMENTS)
		return -EFBIG;
	buf = malloc(n * size);
	f->segments = malloc(n * sizeof(*f->segments));
	err = buf && f->segments ? elf_read(f, f->header.e_phoff, buf, n * size) : -ENOMEM;
	for (u64 i = 0; !err && i < n; i++) {
		segment_of(f, buf + i * size, &f->segments[i]);
		if (f->segments[i].p_type == PT_LOAD)
			add_load(f, &f->segments[i]);
	}
	f->nsegments = err ? 0 : n;
	free(buf);
	return err;
}

/* A note is name length, description length, type, then both, each padded to 4 bytes. */
static u32 find_build_id(const u8 *notes, u64 len, u8 id[ELF_BUILD_ID])
{
	u64 at = 0, desc, next;
	Elf64_Nhdr n;

	while (len - at >= sizeof(n)) {
		memcpy(&n, notes + at, sizeof(n));
		at += sizeof(n);
		desc = at + ((u64)n.n_namesz + 3) / 4 * 4;
		next = desc + ((u64)n.n_descsz + 3) / 4 * 4;
		if (desc > len || n.n_descsz > len - desc)
			break;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 &&
		    !memcmp(notes + at, "GNU", 4) && n.n_descsz && n.n_descsz <= ELF_BUILD_ID) {
			memcpy(id, notes + desc, n.n_descsz);
			return n.n_descsz;
		}
		at = next < len ? next : len;
	}
	return 0;
}

u32 elf_build_id(const struct elf_file *f, u8 id[ELF_BUILD_ID])
{
	u32 found = 0;

	for (u32 i = 0, tried = 0; i < f->nsegments && !found && tried < 16; i++) {
		const Elf64_Phdr *s = &f->segments[i];
		u64 len = s->p_filesz < MAX_NOTES ? s->p_filesz : MAX_NOTES;
		u8 *notes;

		if (s->p_type != PT_NOTE)
			continue;
		tried++;
		notes = malloc(len ?: 1);
		if (notes && !elf_read(f, s->p_offset, notes, len))
			found = find_build_id(notes, len, id);
		free(notes);
	}
	return found;
}

/* Whether the name at `at` is this one, its NUL included. */
static bool is_named(const struct elf_file *f, u64 at, const char *name)
{
	char found[64];
	size_t len = strlen(name) + 1;

	return len <= sizeof(found) && !elf_read(f, at, found, len) && !memcmp(found, name, len);
}

int elf_section(const struct elf_file *f, const char *name, const Elf64_Shdr **found)
{
	u32 names = f->header.e_shstrndx;
	Elf64_Shdr first;
	u64 at;

	if (!f->nsections)
		return -ENOENT;
	if (names == SHN_XINDEX && !first_section(f, &first))
		names = first.sh_link;
	if (names >= f->nsections)
		return -ENOEXEC;
	for (u32 i = 0; i < f->nsections; i++) {
		const Elf64_Shdr *s = &f->sections[i];

		if (!__builtin_add_overflow(f->sections[names].sh_offset, s->sh_name, &at) &&
		    s->sh_name < f->sections[names].sh_size && is_named(f, at, name)) {
			*found = s;
			return 0;
		}
	}
	return -ENOENT;
}

int elf_content(const struct elf_file *f, const Elf64_Shdr *s, u8 **data)
{
	int err;

	*data = NULL;
	if (s->sh_type == SHT_NOBITS)
		return -ENOEXEC;
	if (s->sh_size > ELF_MAX_CONTENT)
		return -EFBIG;
	*data = malloc(s->sh_size ?: 1);
	err = *data ? elf_read(f, s->sh_offset, *data, s->sh_size) : -ENOMEM;
	if (err) {
		free(*data);
		*data = NULL;
	}
	return err;
}

const Elf64_Shdr *elf_section_of_type(const struct elf_file *f, u32 type)
{
	for (u32 i = 0; i < f->nsections; i++)
		if (f->sections[i].sh_type == type)
			return &f->sections[i];
	return NULL;
}

int elf_strings(const struct elf_file *f, const Elf64_Shdr *symbols, char **strings, u64 *len)
{
	const Elf64_Shdr *s;
	int err;

	if (symbols->sh_link >= f->nsections)
		return -ENOEXEC;
	s = &f->sections[symbols->sh_link];
	if (s->sh_type != SHT_STRTAB)
		return -ENOEXEC;
	if (s->sh_size > ELF_MAX_STRINGS)
		return -EFBIG;
	if (s->sh_offset > f->size || s->sh_size > f->size - s->sh_offset)
		return -ENOEXEC;
	*strings = malloc(s->sh_size + 1);
	if (!*strings)
		return -ENOMEM;
	err = elf_read(f, s->sh_offset, *strings, s->sh_size);
	if (err) {
		free(*strings);
		*strings = NULL;
		return err;
	}
	(*strings)[s->sh_size] = '\0'; /* it need not end in one */
	*len = s->sh_size;
	return 0;
}

bool elf_is_function(const Elf64_Sym *s)
{
	u8 type = ELF64_ST_TYPE(s->st_info);

	return type == STT_FUNC || type == STT_GNU_IFUNC;
}

int elf_symbols(const struct elf_file *f, const Elf64_Shdr *symbols,
		int (*each)(Elf64_Sym *s, void *arg), void *arg)
{
	u32 size = f->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	u64 n = symbols->sh_size / size, offset = symbols->sh_offset;
	u8 *buf;
	int err = 0;

	if (symbols->sh_entsize != size)
		return -ENOEXEC;
	if (n > ELF_MAX_SCANNED)
		return -EFBIG;
	buf = malloc(BLOCK * sizeof(Elf64_Sym));
	if (!buf)
		return -ENOMEM;
	while (n && !err) {
		u32 some = n < BLOCK ? n : BLOCK;

		err = elf_read(f, offset, buf, some * size);
		for (u32 i = 0; i < some && !err; i++) {
			Elf64_Sym s;

			symbol_of(f, buf + i * size, &s);
			if (f->machine == EM_ARM && elf_is_function(&s))
				s.st_value &= ~1ull; /* bit 0 says that it is Thumb code */
			err = each(&s, arg);
		}
		offset += some * size;
		n -= some;
	}
	free(buf);
	return err;
}

/* Two segments may share a page of the file; what executes is in the executable one. */
bool elf_address_of(const struct elf_loads *loads, u64 offset, u64 *addr)
{
	for (int exec = 1; exec >= 0; exec--)
		for (u32 i = 0; i < loads->n; i++) {
			const struct elf_load *l = &loads->at[i];

			if (l->exec != exec || offset < l->offset || offset - l->offset >= l->size)
				continue;
			*addr = l->addr + (offset - l->offset);
			return true;
		}
	return false;
}

bool elf_offset_of(const struct elf_loads *loads, u64 addr, u64 *offset)
{
	for (u32 i = 0; i < loads->n; i++) {
		const struct elf_load *l = &loads->at[i];

		if (addr >= l->addr && addr - l->addr < l->size) {
			*offset = l->offset + (addr - l->addr);
			return true;
		}
	}
	return false;
}

const struct elf_load *elf_code_at(const struct elf_loads *loads, u64 addr)
{
	for (u32 i = 0; i < loads->n; i++) {
		const struct elf_load *l = &loads->at[i];

		if (l->exec && addr >= l->addr && addr - l->addr < l->size)
			return l;
	}
	return NULL;
}
