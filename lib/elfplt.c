#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfplt.h"
#include "util.h"

#define MAX_SLOTS (1u << 18)
#define MAX_STUBS 65536u /* of a section */
#define MAX_NAME  256u

/* A slot of the global offset table, and where the name of what it leads to stands. */
struct slot {
	u64 at;
	u32 name;
};

struct slots {
	struct slot *at;
	u32 n;
	char *names;
	u64 names_len;
	u64 got; /* what 32-bit position-independent stubs count from */
};

/* The parts of Elf64_Rela, Elf32_Rel and their like that are needed here. */
struct relocation {
	u64 at;
	u32 symbol, type;
};

static void relocation_of(const struct elf_file *f, const u8 *p, struct relocation *r)
{
	Elf64_Rel wide;
	Elf32_Rel narrow;

	if (f->wide) {
		memcpy(&wide, p, sizeof(wide));
		*r = (struct relocation){ wide.r_offset, ELF64_R_SYM(wide.r_info),
					  ELF64_R_TYPE(wide.r_info) };
	} else {
		memcpy(&narrow, p, sizeof(narrow));
		*r = (struct relocation){ narrow.r_offset, ELF32_R_SYM(narrow.r_info),
					  ELF32_R_TYPE(narrow.r_info) };
	}
}

static bool fills_slot(const struct elf_file *f, u32 type)
{
	switch (f->machine) {
	case EM_X86_64: return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
	case EM_386: return type == R_386_JMP_SLOT || type == R_386_GLOB_DAT;
	case EM_AARCH64: return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
	default: return false;
	}
}

/* The name of a symbol of the table, as an offset into its strings; 0: none. */
static u32 name_of(const struct elf_file *f, const Elf64_Shdr *symbols, u32 i)
{
	u32 size = f->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym), name;

	/* st_name comes first in both. */
	if (i >= symbols->sh_size / size ||
	    elf_read(f, symbols->sh_offset + (u64)i * size, &name, sizeof(name)))
		return 0;
	return name;
}

static int add_slots(struct slots *s, const struct elf_file *f, const Elf64_Shdr *section,
		     const Elf64_Shdr *symbols)
{
	u64 size = section->sh_type == SHT_RELA
			   ? (f->wide ? sizeof(Elf64_Rela) : sizeof(Elf32_Rela))
			   : (f->wide ? sizeof(Elf64_Rel) : sizeof(Elf32_Rel));
	struct slot *more;
	u8 *data;
	int err;

	if (section->sh_entsize != size)
		return 0;
	err = elf_content(f, section, &data);
	if (err)
		return err == -ENOMEM ? err : 0;
	for (u64 i = 0; i < section->sh_size / size && s->n < MAX_SLOTS; i++) {
		struct relocation r;
		u32 name;

		relocation_of(f, data + i * size, &r);
		name = fills_slot(f, r.type) ? name_of(f, symbols, r.symbol) : 0;
		if (!name || name >= s->names_len)
			continue;
		if (!(s->n & (s->n - 1))) {
			more = realloc(s->at, (s->n ? s->n * 2 : 64) * sizeof(*more));
			if (!more) {
				err = -ENOMEM;
				break;
			}
			s->at = more;
		}
		s->at[s->n++] = (struct slot){ r.at, name };
	}
	free(data);
	return err;
}

static int by_place(const void *a, const void *b)
{
	u64 x = ((const struct slot *)a)->at, y = ((const struct slot *)b)->at;

	return x < y ? -1 : x > y;
}

static int read_slots(struct slots *s, const struct elf_file *f)
{
	const Elf64_Shdr *symbols = elf_section_of_type(f, SHT_DYNSYM), *got;
	int err = symbols ? elf_strings(f, symbols, &s->names, &s->names_len) : -ENOENT;

	if (!elf_section(f, ".got.plt", &got) || !elf_section(f, ".got", &got))
		s->got = got->sh_addr;
	for (u32 i = 0, tables = 0; i < f->nsections && tables < 4 && !err; i++) {
		const Elf64_Shdr *section = &f->sections[i];

		if (section->sh_type != SHT_RELA && section->sh_type != SHT_REL)
			continue;
		if (section->sh_link != (u32)(symbols - f->sections))
			continue;
		tables++;
		err = add_slots(s, f, section, symbols);
	}
	if (!err && s->n)
		qsort(s->at, s->n, sizeof(*s->at), by_place);
	return err;
}

static u32 word(const u8 *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* jmp *place: relative to the next instruction, absolute, or from %ebx. */
static bool jump_of_x86(const struct elf_file *f, const u8 *p, u64 len, u64 addr, u64 got,
			u64 *place)
{
	for (u64 i = 0; i + 6 <= len && i < 12; i++) {
		if (p[i] != 0xff)
			continue;
		if (p[i + 1] == 0x25) {
			*place = f->wide ? addr + i + 6 + (s64)(s32)word(p + i + 2)
					 : word(p + i + 2);
			return true;
		}
		if (p[i + 1] == 0xa3 && !f->wide) {
			*place = (u32)(got + word(p + i + 2));
			return true;
		}
	}
	return false;
}

/* adrp x16, page; ldr x17, [x16, #offset] */
static bool jump_of_arm(const u8 *p, u64 len, u64 addr, u64 *place)
{
	for (u64 i = 0; i + 8 <= len && i < 12; i += 4) {
		u32 adrp = word(p + i), ldr = word(p + i + 4);
		u64 page = (u64)(adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3);

		if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
			continue;
		if (page & 0x100000)
			page |= ~0x1fffffull;
		*place = ((addr + i) & ~0xfffull) + (page << 12) + (ldr >> 10 & 0xfff) * 8;
		return true;
	}
	return false;
}

static const char *name_at(const struct slots *s, u64 place)
{
	struct slot key = { .at = place };
	const struct slot *found = bsearch(&key, s->at, s->n, sizeof(key), by_place);

	return found ? s->names + found->name : NULL;
}

static int read_stubs(struct elffuncs *fs, const struct slots *s, const Elf64_Shdr *section)
{
	const struct elf_file *f = fs->file;
	u64 size = section->sh_entsize >= 8 && section->sh_entsize <= 64 ? section->sh_entsize : 16;
	u8 *code;
	int err = elf_content(f, section, &code);

	if (err)
		return err == -ENOMEM ? err : 0;
	for (u64 at = 0; at + 8 <= section->sh_size && at / size < MAX_STUBS && !err; at += size) {
		u64 left = section->sh_size - at, len = left < size ? left : size, place;
		u64 addr = section->sh_addr + at;
		char name[MAX_NAME + 8];
		const char *function;
		bool found = f->machine == EM_AARCH64
				     ? jump_of_arm(code + at, len, addr, &place)
				     : jump_of_x86(f, code + at, len, addr, s->got, &place);

		function = found ? name_at(s, place) : NULL;
		if (!function || !*function || !elf_code_at(&f->loads, addr))
			continue;
		snprintf(name, sizeof(name), "%.*s@plt", (int)strnlen(function, MAX_NAME),
			 function);
		err = elffuncs_add_one(fs, addr, len, name);
	}
	free(code);
	return err == -EFBIG ? 0 : err;
}

int elfplt_read(struct elffuncs *fs)
{
	static const char *const sections[] = { ".plt", ".plt.sec", ".plt.got", ".plt.bnd" };
	struct slots s = {};
	const Elf64_Shdr *section;
	int err = read_slots(&s, fs->file);

	for (size_t i = 0; i < ARRAY_SIZE(sections) && !err && s.n; i++)
		if (!elf_section(fs->file, sections[i], &section))
			err = read_stubs(fs, &s, section);
	free(s.at);
	free(s.names);
	elffuncs_sort(fs);
	return err == -ENOMEM ? err : 0;
}
