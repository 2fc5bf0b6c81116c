#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "debugfile.h"
#include "elffunc.h"
#include "gofunc.h"
#include "insn.h"
#include "sym.h"

#define SIZED     4   /* in a rank: above all else */
#define NAMES_MAX ~0u /* where a name stands is kept in 32 bits */

/* While a symbol table is read. */
struct table {
	struct elffuncs *fs;
	struct elf_file *from;
	u32 room;
	u64 strings, len; /* its strings: where in `names` */
	u64 scanned;      /* of names: they may overlap, and be longer together than the file */
};

static u8 rank_of(const Elf64_Sym *s)
{
	u8 bind = ELF64_ST_BIND(s->st_info);

	return (s->st_size ? SIZED : 0) + (bind == STB_GLOBAL || bind == STB_WEAK ? 1 : 0);
}

/* Where what the symbol names must end: with its section, and with what is loaded. */
static u64 limit_of(const struct elf_file *f, const struct elf_load *load, const Elf64_Sym *s)
{
	u64 limit = load->addr + load->size;

	if (s->st_shndx < f->nsections) {
		const Elf64_Shdr *in = &f->sections[s->st_shndx];

		if (s->st_value >= in->sh_addr && in->sh_size < limit - in->sh_addr)
			limit = in->sh_addr + in->sh_size;
	}
	return limit;
}

/* Ends the name where its version begins (memcpy@@GLIBC_2.14), or where it is too long. */
static int end_name(struct table *t, char *name)
{
	size_t len = strnlen(name, ELFFUNC_MAX_NAME);
	char *version = len ? memchr(name + 1, '@', len - 1) : NULL;

	*(version ?: name + len) = '\0';
	t->scanned += len;
	return t->scanned > 2ull * ELF_MAX_STRINGS ? -EFBIG : 0;
}

static struct elffunc *more_room(struct table *t)
{
	struct elffuncs *fs = t->fs;
	struct elffunc *p;

	if (fs->n < t->room)
		return fs->at;
	t->room = t->room ? t->room * 2 : 1024;
	p = realloc(fs->at, t->room * sizeof(*p));
	if (p)
		fs->at = p;
	return p;
}

static int add_symbol(Elf64_Sym *s, void *arg)
{
	struct table *t = arg;
	struct elffuncs *fs = t->fs;
	const struct elf_load *load;
	u64 limit;

	if (!elf_is_function(s) || s->st_shndx == SHN_UNDEF || s->st_shndx == SHN_ABS ||
	    !s->st_name || s->st_name >= t->len)
		return 0;
	load = elf_code_at(&fs->file->loads, s->st_value);
	if (!load)
		return 0;
	limit = limit_of(t->from, load, s);
	if (limit <= s->st_value)
		return 0;
	if (fs->n == ELFFUNC_MAX)
		return -EFBIG;
	if (!more_room(t))
		return -ENOMEM;
	limit -= s->st_value;
	fs->at[fs->n++] = (struct elffunc){
		.addr = s->st_value,
		.size = s->st_size && s->st_size < limit ? s->st_size : limit,
		.name = t->strings + s->st_name,
		.rank = rank_of(s),
		.ifunc = ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC,
	};
	return end_name(t, fs->names + t->strings + s->st_name);
}

/* Appends a string table, so that a name is one offset whichever table it is from. */
static int add_strings(struct table *t, const Elf64_Shdr *table)
{
	struct elffuncs *fs = t->fs;
	char *strings, *all;
	int err = elf_strings(t->from, table, &strings, &t->len);

	if (err)
		return err;
	t->strings = fs->names_len;
	if (!fs->names) {
		all = strings;
	} else {
		all = realloc(fs->names, fs->names_len + t->len + 1);
		if (all)
			memcpy(all + fs->names_len, strings, t->len + 1);
		free(strings);
	}
	if (!all)
		return -ENOMEM;
	fs->names = all;
	fs->names_len += t->len + 1;
	return 0;
}

/* The symbols of the first section of this type, if there is one. */
static int read_table(struct table *t, u32 type)
{
	const Elf64_Shdr *section = elf_section_of_type(t->from, type);
	u32 before = t->fs->n;
	int err;

	if (!section)
		return 0;
	err = add_strings(t, section) ?: elf_symbols(t->from, section, add_symbol, t);
	if (err)
		t->fs->n = before;
	return err;
}

static bool sized(const struct elffunc *f)
{
	return f->rank & SIZED;
}

static int by_address(const void *a, const void *b)
{
	const struct elffunc *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (sized(x) != sized(y))
		return sized(x) ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return (int)y->rank - (int)x->rank;
}

/* What has no size reaches up to the next symbol. */
static void end_unsized(struct elffuncs *fs)
{
	u64 next = ~0ull;

	for (u32 i = fs->n; i--;) {
		struct elffunc *f = &fs->at[i];

		if (i + 1 < fs->n && fs->at[i + 1].addr != f->addr)
			next = fs->at[i + 1].addr;
		if (!sized(f) && next - f->addr < f->size)
			f->size = next - f->addr;
	}
}

void elffuncs_sort(struct elffuncs *fs)
{
	if (fs->n)
		qsort(fs->at, fs->n, sizeof(*fs->at), by_address);
	end_unsized(fs);
}

/* A Go program that was stripped names no functions, or in .dynsym those of C only. */
static void read_go(struct elffuncs *fs)
{
	struct elffuncs go = { .file = fs->file };
	int err = gofunc_read(&go);

	if (go.n) {
		elffuncs_free(fs);
		*fs = go;
	} else {
		elffuncs_free(&go);
	}
	fs->err = err;
}

int elffuncs_read(struct elffuncs *fs, struct elf_file *file)
{
	struct table t = { .fs = fs, .from = file };
	int err, dyn;

	*fs = (struct elffuncs){ .file = file };
	fs->err = elf_read_sections(file);
	if (!fs->err) {
		err = read_table(&t, SHT_SYMTAB);
		dyn = read_table(&t, SHT_DYNSYM);
		fs->err = err == -ENOMEM || dyn == -ENOMEM ? -ENOMEM : err ?: dyn;
	}
	if (!fs->err && !elf_section_of_type(file, SHT_SYMTAB))
		read_go(fs);
	if (fs->err == -ENOMEM) {
		elffuncs_free(fs);
		return -ENOMEM;
	}
	elffuncs_sort(fs);
	return 0;
}

int elffuncs_add(struct elffuncs *fs, struct elf_file *other)
{
	struct table t = { .fs = fs, .from = other, .room = fs->n };
	int err = elf_read_sections(other) ?: read_table(&t, SHT_SYMTAB);

	elffuncs_sort(fs);
	return err;
}

int elffuncs_add_one(struct elffuncs *fs, u64 addr, u64 size, const char *name)
{
	size_t len = strnlen(name, ELFFUNC_MAX_NAME) + 1;
	struct elffunc *at = fs->at;
	char *names;

	if (fs->n == ELFFUNC_MAX || fs->names_len + len > NAMES_MAX)
		return -EFBIG;
	names = realloc(fs->names, fs->names_len + len);
	if (!names)
		return -ENOMEM;
	fs->names = names;
	at = realloc(at, (fs->n + 1) * sizeof(*at));
	if (!at)
		return -ENOMEM;
	fs->at = at;
	memcpy(names + fs->names_len, name, len - 1);
	names[fs->names_len + len - 1] = '\0';
	at[fs->n++] = (struct elffunc){
		.addr = addr, .size = size, .name = fs->names_len, .rank = SIZED
	};
	fs->names_len += len;
	return 0;
}

bool elffuncs_read_debug(struct elffuncs *fs)
{
	u32 before = fs->n;
	struct elf_file debug;
	int fd = debugfile_open(&debug, fs->file, 0, NULL);

	if (fd < 0)
		return false;
	elffuncs_add(fs, &debug);
	elf_close(&debug);
	close(fd);
	return fs->n > before;
}

void elffuncs_free(struct elffuncs *fs)
{
	free(fs->at);
	free(fs->names);
	*fs = (struct elffuncs){};
}

const char *elffunc_name(const struct elffuncs *fs, const struct elffunc *f)
{
	return fs->names + f->name;
}

u64 elffunc_offset(const struct elffuncs *fs, const struct elffunc *f)
{
	const struct elf_load *load = elf_code_at(&fs->file->loads, f->addr);

	return load->offset + (f->addr - load->addr);
}

static bool better(const struct elffuncs *fs, const struct elffunc *a, const struct elffunc *b)
{
	return a->rank == b->rank && sym_better(elffunc_name(fs, a), elffunc_name(fs, b));
}

int elffuncs_match(const struct elffuncs *fs, bool (*match)(const char *name, void *arg), void *arg,
		   const struct elffunc ***found)
{
	const struct elffunc **out = NULL, **more;
	u32 n = 0, room = 0;

	*found = NULL;
	for (u32 i = 0; i < fs->n; i++) {
		const struct elffunc *f = &fs->at[i];

		if (!match(elffunc_name(fs, f), arg))
			continue;
		if (n && out[n - 1]->addr == f->addr) {
			if (better(fs, f, out[n - 1]))
				out[n - 1] = f;
			continue;
		}
		if (n == room) {
			room = room ? room * 2 : 64;
			more = realloc(out, room * sizeof(*out));
			if (!more) {
				free(out);
				return -ENOMEM;
			}
			out = more;
		}
		out[n++] = f;
	}
	*found = out;
	return n;
}

/* Reads a function's code, with what follows it, so that its last instruction is whole. */
static int read_code(const struct elffuncs *fs, const struct elffunc *f, u8 **code, u64 *room)
{
	const struct elf_load *load = elf_code_at(&fs->file->loads, f->addr);
	u64 rest = load->size - (f->addr - load->addr);
	int err;

	if (!insn_known(fs->file->machine))
		return -EOPNOTSUPP;
	if (f->size > ELFFUNC_MAX_CODE)
		return -EFBIG;
	*room = f->size + INSN_MAX < rest ? f->size + INSN_MAX : rest;
	*code = malloc(*room ?: 1);
	if (!*code)
		return -ENOMEM;
	err = elf_read(fs->file, elffunc_offset(fs, f), *code, *room);
	if (err)
		free(*code);
	return err;
}

int elffunc_check(const struct elffuncs *fs, const struct elffunc *f, u64 offset)
{
	struct insn insn;
	u64 room, at = 0;
	u8 *code;
	int err;

	if (offset >= f->size)
		return -ERANGE;
	if (!offset)
		return 0;
	err = read_code(fs, f, &code, &room);
	if (err)
		return err;
	while (at < offset && insn_decode(fs->file->machine, code + at, room - at, &insn))
		at += insn.length;
	free(code);
	return at == offset ? 0 : at < offset ? -EOPNOTSUPP : -EILSEQ;
}

static bool leaves(const struct elffunc *f, u64 at, const struct insn *insn)
{
	if (insn->kind == INSN_JUMP)
		return at + insn->target >= f->size;
	return insn->kind == INSN_JUMP_ANYWHERE;
}

int elffunc_returns(const struct elffuncs *fs, const struct elffunc *f, struct elffunc_returns *r)
{
	struct insn insn;
	u32 size = 0;
	u64 room;
	u8 *code;
	int err = read_code(fs, f, &code, &room);

	*r = (struct elffunc_returns){};
	if (err)
		return err;
	for (u64 at = 0; at < f->size && !err; at += insn.length) {
		if (!insn_decode(fs->file->machine, code + at, room - at, &insn)) {
			err = -EOPNOTSUPP;
			break;
		}
		r->jumps += leaves(f, at, &insn);
		if (insn.kind != INSN_RETURN)
			continue;
		if (r->n == size) {
			u64 *more = realloc(r->at, (size = size ? size * 2 : 8) * sizeof(*more));

			if (!more) {
				err = -ENOMEM;
				break;
			}
			r->at = more;
		}
		r->at[r->n++] = at;
	}
	free(code);
	if (err) {
		free(r->at);
		*r = (struct elffunc_returns){};
	}
	return err;
}

bool elf_is_go(const struct elf_file *f)
{
	static const char *const marks[] = { ".go.buildinfo", ".note.go.buildid", ".gopclntab" };
	const Elf64_Shdr *s;

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (!elf_section(f, marks[i], &s))
			return true;
	return false;
}
