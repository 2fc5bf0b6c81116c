#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gofunc.h"

#define MAGIC_118 0xfffffff0u
#define MAGIC_120 0xfffffff1u

/* The table, and where in it its parts are. */
struct table {
	u8 *data;
	u64 size;
	u64 n, text; /* functions; the address that theirs count from */
	u64 names, names_end, functions;
};

static u64 word(const struct table *t, int i)
{
	u64 v;

	memcpy(&v, t->data + 8 + i * sizeof(v), sizeof(v));
	return v;
}

static u32 half(const struct table *t, u64 at)
{
	u32 v;

	memcpy(&v, t->data + at, sizeof(v));
	return v;
}

/* Whether `len` bytes at `at` are in the table. */
static bool within(const struct table *t, u64 at, u64 len)
{
	return at <= t->size && len <= t->size - at;
}

/*
 * magic, 2 zeros, quantum, size of a pointer; then words: functions, files, text, offsets of names,
 * units, files, counters, functions. 1: it is of a version that is known.
 */
static int read_header(struct table *t, const struct elf_file *f)
{
	const Elf64_Shdr *section;
	u32 magic = t->size < 72 ? 0 : half(t, 0);

	if ((magic != MAGIC_118 && magic != MAGIC_120) || t->data[7] != 8)
		return 0;
	t->n = word(t, 0);
	t->text = word(t, 2);
	t->names = word(t, 3);
	t->names_end = word(t, 4);
	t->functions = word(t, 7);
	if (!t->text && !elf_section(f, ".text", &section))
		t->text = section->sh_addr;
	if (t->n > ELFFUNC_MAX)
		return -EFBIG;
	if (t->names > t->names_end || !within(t, t->names_end, 0) ||
	    !within(t, t->functions, t->n * 8 + 4))
		return -ENOEXEC;
	return 1;
}

/* A pair a function: offset from the text, offset of its description; there is one offset more. */
static void add_functions(struct elffuncs *fs, const struct table *t)
{
	for (u64 i = 0; i < t->n; i++) {
		u64 pair = t->functions + i * 8, about = t->functions + half(t, pair + 4);
		u64 addr = t->text + half(t, pair), next = t->text + half(t, pair + 8);
		u32 name;

		if (!within(t, about, 8) || next <= addr || !elf_code_at(&fs->file->loads, addr) ||
		    !elf_code_at(&fs->file->loads, next - 1))
			continue;
		name = half(t, about + 4);
		if (name < t->names_end - t->names)
			fs->at[fs->n++] = (struct elffunc){ addr, next - addr, name };
	}
}

/* Names end with a NUL each, and are not too long. */
static void keep_names(struct elffuncs *fs, const struct table *t)
{
	memcpy(fs->names, t->data + t->names, fs->names_len);
	for (u64 at = 0; at < fs->names_len;) {
		size_t len = strnlen(fs->names + at, fs->names_len - at);

		if (len > ELFFUNC_MAX_NAME)
			fs->names[at + ELFFUNC_MAX_NAME] = '\0';
		at += len + 1;
	}
	fs->names[fs->names_len++] = '\0';
}

static int read_table(struct table *t, const struct elf_file *f)
{
	const Elf64_Shdr *s;
	int err = f->wide ? elf_section(f, ".gopclntab", &s) : -ENOENT;

	/* Programs linked to move have it among their relocated data. */
	if (err && f->wide)
		err = elf_section(f, ".data.rel.ro.gopclntab", &s);
	if (err)
		return 0;
	if (s->sh_size > ELF_MAX_STRINGS)
		return -EFBIG;
	if (s->sh_type == SHT_NOBITS || s->sh_offset > f->size ||
	    s->sh_size > f->size - s->sh_offset)
		return -ENOEXEC;
	t->size = s->sh_size;
	t->data = malloc(t->size ?: 1);
	return t->data ? elf_read(f, s->sh_offset, t->data, t->size) ?: read_header(t, f) : -ENOMEM;
}

int gofunc_read(struct elffuncs *fs)
{
	struct table t = {};
	int err = read_table(&t, fs->file);

	if (err > 0) {
		fs->names_len = t.names_end - t.names;
		fs->names = malloc(fs->names_len + 1);
		fs->at = malloc(t.n * sizeof(*fs->at) ?: 1);
		err = fs->names && fs->at ? 0 : -ENOMEM;
		if (!err) {
			keep_names(fs, &t);
			add_functions(fs, &t);
		}
	}
	free(t.data);
	return err;
}
