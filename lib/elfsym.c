#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "debugfile.h"
#include "elffunc.h"
#include "elfline.h"
#include "elfplt.h"
#include "elfsym.h"
#include "sym.h"

#define NONE      (~0u)
#define MAX_DEPTH 64 /* symbols within symbols looked through for one address */

/* 16 bytes a symbol: addresses count from the lowest of the code. */
struct symbol {
	u32 start, size, name;
	u32 outer; /* the last symbol before it that reaches over its start, or NONE */
};

struct elfsym {
	struct elf_loads loads;
	u32 n, names_len;
	u64 base;
	struct symbol *symbols;
	char *names;
	u8 build_id[ELF_BUILD_ID];
	u32 build_id_len;
	int err;
	struct elfline *lines;
};

static bool better(const struct elffuncs *fs, const struct elffunc *a, const struct elffunc *b)
{
	if (a->size != b->size || a->rank != b->rank)
		return false; /* b came first */
	return sym_better(elffunc_name(fs, a), elffunc_name(fs, b));
}

/* Keeps one name an address: the largest, most public, plainest. */
static void choose(struct elfsym *e, struct elffuncs *fs)
{
	u32 out = 0;

	for (u32 i = 0; i < fs->n; i++) {
		const struct elffunc *f = &fs->at[i];

		if (!*elffunc_name(fs, f) || f->addr - e->base >= NONE)
			continue;
		if (!out || fs->at[out - 1].addr != f->addr)
			fs->at[out++] = *f;
		else if (better(fs, f, &fs->at[out - 1]))
			fs->at[out - 1] = *f;
	}
	fs->n = out;
}

static void keep_symbols(struct elfsym *e, const struct elffuncs *fs)
{
	for (u32 i = 0; i < fs->n; i++) {
		const struct elffunc *f = &fs->at[i];
		struct symbol *s = &e->symbols[i];
		u32 j = i - 1;

		s->start = f->addr - e->base;
		s->size = f->size < NONE - s->start ? f->size : NONE - s->start;
		s->name = f->name;
		/* What ends before this start ends before all later ones: never met again. */
		while (j != NONE && e->symbols[j].start + e->symbols[j].size <= s->start)
			j = e->symbols[j].outer;
		s->outer = j;
	}
	e->n = fs->n;
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Moves the names in use together, in place; strings that share a tail go on sharing it. */
static int keep_names(struct elfsym *e, struct elffuncs *fs)
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
			size_t len = strnlen(fs->names + name, ELFFUNC_MAX_NAME);

			memmove(fs->names + out, fs->names + name, len);
			fs->names[out + len] = '\0';
			shift = name - out;
			end = name + len + 1;
			out += len + 1;
		}
		e->symbols[(u32)order[i]].name = name - shift;
	}
	free(order);
	e->names = realloc(fs->names, out ?: 1) ?: fs->names;
	e->names_len = out;
	fs->names = NULL;
	return 0;
}

static int read_debugdata(struct elffuncs *fs)
{
	struct elf_file mini;
	size_t size;
	u8 *image;
	int err = debugdata_read(fs->file, &image, &size);

	if (err)
		return err;
	err = elf_open_mem(&mini, image, size);
	if (!err && mini.machine == fs->file->machine)
		err = elffuncs_add(fs, &mini);
	elf_close(&mini);
	free(image);
	return err;
}

/* What the file itself lacks: symbols and lines of its debug file, or what it carries of them. */
static int read_debug(struct elfsym *e, struct elffuncs *fs, const struct elfsym_from *from)
{
	bool stripped = !elf_section_of_type(fs->file, SHT_SYMTAB);
	struct elf_file debug;
	int fd = -ENOENT, err = 0;

	if (from && (stripped || (from->lines && !e->lines)))
		fd = debugfile_open(&debug, fs->file, from->pid, from->path);
	if (fd >= 0) {
		if (stripped)
			err = elffuncs_add(fs, &debug);
		if (from->lines && !e->lines)
			elfline_load(&e->lines, &debug);
		elf_close(&debug);
		close(fd);
	} else if (stripped) {
		err = read_debugdata(fs);
	}
	return err == -ENOMEM ? err : 0;
}

static int read_symbols(struct elfsym *e, struct elf_file *f, const struct elfsym_from *from)
{
	struct elffuncs fs;
	int err = elffuncs_read(&fs, f);

	if (err)
		return err;
	e->err = fs.err;
	if (from && from->lines)
		elfline_load(&e->lines, f);
	err = read_debug(e, &fs, from) ?: elfplt_read(&fs);
	choose(e, &fs);
	if (fs.n && !err) {
		e->symbols = malloc(fs.n * sizeof(*e->symbols));
		err = e->symbols ? 0 : -ENOMEM;
	}
	if (!err && fs.n) {
		keep_symbols(e, &fs);
		err = keep_names(e, &fs);
	}
	elffuncs_free(&fs);
	return err;
}

/* `f` has been opened, with the error given. */
static int load(struct elfsym **out, struct elf_file *f, const struct elfsym_from *from, int err)
{
	struct elfsym *e = calloc(1, sizeof(*e));

	if (!e)
		err = -ENOMEM;
	if (!err)
		err = elf_read_segments(f);
	if (!err) {
		e->loads = f->loads;
		e->base = ~0ull;
		for (u32 i = 0; i < e->loads.n; i++)
			if (e->loads.at[i].exec && e->loads.at[i].addr < e->base)
				e->base = e->loads.at[i].addr;
		e->build_id_len = elf_build_id(f, e->build_id);
		err = read_symbols(e, f, from);
	}
	elf_close(f);
	if (err)
		elfsym_free(e);
	else
		*out = e;
	return err;
}

int elfsym_load(struct elfsym **e, int fd, const struct elfsym_from *from)
{
	struct elf_file f;
	int err = elf_open(&f, fd);

	return load(e, &f, from, err);
}

int elfsym_load_mem(struct elfsym **e, const void *image, size_t size)
{
	struct elf_file f;
	int err = elf_open_mem(&f, image, size);

	return load(e, &f, NULL, err);
}

void elfsym_free(struct elfsym *e)
{
	if (!e)
		return;
	elfline_free(e->lines);
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
	return sizeof(*e) + e->n * sizeof(*e->symbols) + e->names_len +
	       (e->lines ? elfline_memory(e->lines) : 0);
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

bool elfsym_address(const struct elfsym *e, u64 file_offset, u64 *addr)
{
	return elf_address_of(&e->loads, file_offset, addr);
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

const char *elfsym_line(const struct elfsym *e, u64 addr, u32 *line)
{
	return e->lines ? elfline_find(e->lines, addr, line) : NULL;
}
