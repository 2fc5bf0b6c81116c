#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debugfile.h"
#include "elfline.h"

#define MAX_SECTION (256ull << 20)
#define MAX_ROWS    (8u << 20)
#define MAX_POOL    (64u << 20)
#define MAX_UNIT    65536u /* files of one unit */
#define MAX_FORMATS 16
#define MAX_NAME    256u
#define NO_FILE     (~0u)

enum { /* DWARF 5, tables 7.25 to 7.27 */
       LNS_COPY = 1,
       LNS_ADVANCE_PC,
       LNS_ADVANCE_LINE,
       LNS_SET_FILE,
       LNS_CONST_ADD_PC = 8,
       LNS_FIXED_ADVANCE_PC,
       LNE_END_SEQUENCE = 1,
       LNE_SET_ADDRESS,
       LNCT_PATH = 1,
};

enum { /* table 7.6: the forms that the header's tables may be written in */
       FORM_BLOCK2 = 3,
       FORM_BLOCK4,
       FORM_DATA2,
       FORM_DATA4,
       FORM_DATA8,
       FORM_STRING,
       FORM_BLOCK,
       FORM_BLOCK1,
       FORM_DATA1,
       FORM_STRP = 0xe,
       FORM_UDATA,
       FORM_STRX = 0x1a,
       FORM_DATA16 = 0x1e,
       FORM_LINE_STRP,
       FORM_STRX1 = 0x25,
       FORM_STRX2,
       FORM_STRX3,
       FORM_STRX4,
};

struct line {
	u64 addr;
	u32 file; /* in `pool`; NO_FILE: what is before ends here */
	u32 line;
};

struct elfline {
	struct line *rows;
	u32 n, room;
	char *pool;
	u32 pool_len, pool_room;
};

/* What is read from: past its end there are zeros, and it is `bad`. */
struct cursor {
	const u8 *p, *end;
	bool bad, wide; /* wide: offsets of 64 bits */
};

struct strings {
	const u8 *line_str, *str;
	u64 line_len, str_len;
};

static u64 take(struct cursor *c, u32 bytes)
{
	u64 v = 0;

	if ((u64)(c->end - c->p) < bytes) {
		c->bad = true;
		c->p = c->end;
		return 0;
	}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(&v, c->p, bytes);
#else
	memcpy((u8 *)&v + sizeof(v) - bytes, c->p, bytes);
#endif
	c->p += bytes;
	return v;
}

static void skip(struct cursor *c, u64 bytes)
{
	if ((u64)(c->end - c->p) < bytes) {
		c->bad = true;
		c->p = c->end;
	} else {
		c->p += bytes;
	}
}

static u64 uleb(struct cursor *c)
{
	u64 v = 0;

	for (u32 shift = 0;; shift += 7) {
		u8 byte = take(c, 1);

		if (shift < 64)
			v |= (u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
}

static s64 sleb(struct cursor *c)
{
	u64 v = 0;

	for (u32 shift = 0;;) {
		u8 byte = take(c, 1);

		if (shift < 64)
			v |= (u64)(byte & 0x7f) << shift;
		shift += 7;
		if (byte & 0x80)
			continue;
		return shift < 64 && byte & 0x40 ? v | ~0ull << shift : v;
	}
}

static const char *text(struct cursor *c)
{
	const u8 *s = c->p, *nul = memchr(s, 0, c->end - c->p);

	if (!nul) {
		c->bad = true;
		c->p = c->end;
		return "";
	}
	c->p = nul + 1;
	return (const char *)s;
}

static const char *text_at(const u8 *strings, u64 len, u64 at)
{
	return at < len && memchr(strings + at, 0, len - at) ? (const char *)strings + at : "";
}

/* One value of the header's tables; its text, if it is one. */
static const char *value(struct cursor *c, const struct strings *s, u64 form)
{
	switch (form) {
	case FORM_STRING: return text(c);
	case FORM_LINE_STRP: return text_at(s->line_str, s->line_len, take(c, c->wide ? 8 : 4));
	case FORM_STRP: return text_at(s->str, s->str_len, take(c, c->wide ? 8 : 4));
	case FORM_UDATA:
	case FORM_STRX: uleb(c); break;
	case FORM_DATA1:
	case FORM_STRX1: skip(c, 1); break;
	case FORM_DATA2:
	case FORM_STRX2: skip(c, 2); break;
	case FORM_STRX3: skip(c, 3); break;
	case FORM_DATA4:
	case FORM_STRX4: skip(c, 4); break;
	case FORM_DATA8: skip(c, 8); break;
	case FORM_DATA16: skip(c, 16); break;
	case FORM_BLOCK: skip(c, uleb(c)); break;
	case FORM_BLOCK1: skip(c, take(c, 1)); break;
	case FORM_BLOCK2: skip(c, take(c, 2)); break;
	case FORM_BLOCK4: skip(c, take(c, 4)); break;
	default: c->bad = true;
	}
	return NULL;
}

/* A unit's files, by number. The few that code comes from get into the pool, NO_FILE before. */
struct unit {
	struct unit_file {
		const char *path;
		u32 at;
	} * files;
	u32 n, room, first; /* first: the number of the first */
	u8 min_length, max_ops, line_range, opcode_base, address_size;
	signed char line_base;
	const u8 *lengths; /* of the standard opcodes' arguments */
};

static int intern(struct elfline *l, const char *path, u32 *at)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strnlen(name, MAX_NAME);

	if (l->pool_len + len + 1 > MAX_POOL)
		return -EFBIG;
	if (l->pool_len + len + 1 > l->pool_room) {
		u32 room = (l->pool_len + len + 1) * 2;
		char *p = realloc(l->pool, room);

		if (!p)
			return -ENOMEM;
		l->pool = p;
		l->pool_room = room;
	}
	*at = l->pool_len;
	memcpy(l->pool + *at, name, len);
	l->pool[*at + len] = '\0';
	l->pool_len += len + 1;
	return 0;
}

static int add_file(struct unit *u, const char *path)
{
	if (u->n >= MAX_UNIT)
		return -EFBIG;
	if (u->n == u->room) {
		u32 room = u->room ? u->room * 2 : 64;
		struct unit_file *p = realloc(u->files, room * sizeof(*p));

		if (!p)
			return -ENOMEM;
		u->files = p;
		u->room = room;
	}
	u->files[u->n++] = (struct unit_file){ path, NO_FILE };
	return 0;
}

/* Version 5: a list of what each entry has, and the entries. `u` NULL: these are folders. */
static int read_entries(struct unit *u, struct cursor *c, const struct strings *s)
{
	struct {
		u64 content, form;
	} format[MAX_FORMATS];
	u32 formats = take(c, 1);
	u64 n;
	int err = 0;

	if (formats > MAX_FORMATS)
		return -ENOEXEC;
	for (u32 i = 0; i < formats; i++) {
		format[i].content = uleb(c);
		format[i].form = uleb(c);
	}
	n = uleb(c);
	if (!formats)
		return n ? -ENOEXEC : 0;
	for (u64 i = 0; i < n && !c->bad && !err; i++) {
		const char *path = "";

		for (u32 j = 0; j < formats; j++) {
			const char *v = value(c, s, format[j].form);

			if (format[j].content == LNCT_PATH && v)
				path = v;
		}
		if (u && !c->bad)
			err = add_file(u, path);
	}
	return err ?: c->bad ? -ENOEXEC : 0;
}

/* Before version 5: names one by one, an empty one ends them. */
static int read_names(struct unit *u, struct cursor *c)
{
	const char *name;
	int err = 0;

	while (!c->bad && *text(c))
		; /* folders */
	while (!err && !c->bad && *(name = text(c))) {
		uleb(c); /* folder, time, length */
		uleb(c);
		uleb(c);
		err = add_file(u, name);
	}
	return err;
}

/* The state of the machine that a line program runs on. */
struct state {
	u64 addr;
	u32 op, file, line;
};

static int add_row(struct elfline *l, const struct unit *u, const struct state *s, bool end)
{
	struct unit_file *file = s->file - u->first < u->n ? &u->files[s->file - u->first] : NULL;
	struct line row = { s->addr, NO_FILE, s->line };
	struct line *last = l->n ? &l->rows[l->n - 1] : NULL;

	if (!end && file) {
		int err = file->at == NO_FILE ? intern(l, file->path, &file->at) : 0;

		if (err)
			return err;
		row.file = file->at;
	}
	/* Many say no more than the one before. */
	if (!end && last && last->file == row.file && last->line == row.line &&
	    last->addr <= row.addr)
		return 0;
	if (l->n == MAX_ROWS)
		return -EFBIG;
	if (l->n == l->room) {
		u32 room = l->room ? l->room * 2 : 4096;
		struct line *p = realloc(l->rows, room * sizeof(*p));

		if (!p)
			return -ENOMEM;
		l->rows = p;
		l->room = room;
	}
	l->rows[l->n++] = row;
	return 0;
}

static void advance(const struct unit *u, struct state *s, u64 operations)
{
	if (u->max_ops <= 1) {
		s->addr += u->min_length * operations;
		return;
	}
	s->addr += u->min_length * ((s->op + operations) / u->max_ops);
	s->op = (s->op + operations) % u->max_ops;
}

static int extended(struct elfline *l, const struct unit *u, struct cursor *c, struct state *s)
{
	u64 len = uleb(c), left = c->end - c->p;
	struct cursor in = { c->p, c->p + (len < left ? len : left) };
	int err = 0;

	skip(c, len);
	if (!len)
		return 0;
	switch (take(&in, 1)) {
	case LNE_END_SEQUENCE:
		err = add_row(l, u, s, true);
		*s = (struct state){ .file = 1, .line = 1 };
		break;
	case LNE_SET_ADDRESS:
		s->addr = len - 1 <= 8 ? take(&in, len - 1) : 0;
		s->op = 0;
		break;
	}
	return err;
}

static int standard(struct elfline *l, const struct unit *u, struct cursor *c, struct state *s,
		    u8 op)
{
	switch (op) {
	case LNS_COPY: return add_row(l, u, s, false);
	case LNS_ADVANCE_PC: advance(u, s, uleb(c)); break;
	case LNS_ADVANCE_LINE: s->line += (u32)sleb(c); break;
	case LNS_SET_FILE: s->file = uleb(c); break;
	case LNS_CONST_ADD_PC: advance(u, s, (255 - u->opcode_base) / u->line_range); break;
	case LNS_FIXED_ADVANCE_PC:
		s->addr += take(c, 2);
		s->op = 0;
		break;
	default:
		for (u8 i = u->lengths[op - 1]; i--;)
			uleb(c);
	}
	return 0;
}

static int run(struct elfline *l, const struct unit *u, struct cursor *c)
{
	struct state s = { .file = 1, .line = 1 };
	int err = 0;

	while (c->p < c->end && !err && !c->bad) {
		u8 op = take(c, 1);

		if (op >= u->opcode_base) {
			op -= u->opcode_base;
			advance(u, &s, op / u->line_range);
			s.line += (u32)(u->line_base + op % u->line_range);
			err = add_row(l, u, &s, false);
		} else if (op) {
			err = standard(l, u, c, &s, op);
		} else {
			err = extended(l, u, c, &s);
		}
	}
	return err;
}

static int read_header(struct unit *u, struct cursor *c, const struct strings *s)
{
	u16 version = take(c, 2);
	struct cursor h = *c;
	u64 len, left;
	int err;

	if (version < 2 || version > 5)
		return -ENOEXEC;
	if (version >= 5)
		skip(c, 2); /* sizes of an address and of a segment selector */
	len = take(c, c->wide ? 8 : 4);
	left = c->end - c->p;
	if (c->bad || len > left)
		return -ENOEXEC;
	h.p = c->p;
	h.end = c->p + len;
	c->p = h.end;
	u->min_length = take(&h, 1);
	u->max_ops = version >= 4 ? take(&h, 1) : 1;
	skip(&h, 1); /* default_is_stmt */
	u->line_base = take(&h, 1);
	u->line_range = take(&h, 1);
	u->opcode_base = take(&h, 1);
	u->lengths = h.p;
	skip(&h, u->opcode_base ? u->opcode_base - 1 : 0);
	if (h.bad || !u->line_range || !u->opcode_base)
		return -ENOEXEC;
	u->first = version >= 5 ? 0 : 1;
	if (version < 5)
		return read_names(u, &h);
	err = read_entries(NULL, &h, s);
	return err ?: read_entries(u, &h, s);
}

static int read_unit(struct elfline *l, struct cursor *c, const struct strings *s)
{
	u32 begin = l->n;
	struct unit u = {};
	int err = read_header(&u, c, s);

	if (!err)
		err = run(l, &u, c);
	free(u.files);
	if (l->n > begin && l->rows[l->n - 1].file != NO_FILE)
		l->n = begin; /* it has no end */
	return err;
}

/*
 * By address, but sequences stay what they are: where one ends and another begins, the end is
 * first. Rows of one address were in order: the last of them counts, so the place decides.
 */
static int by_addr(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (y->file == NO_FILE) - (x->file == NO_FILE);
}

/* Sequences are sorted in themselves; merge sort keeps the order of what is equal. */
static int sort(struct elfline *l)
{
	struct line *from = l->rows, *to = malloc((l->n ?: 1) * sizeof(*to)), *swap;

	if (!to)
		return -ENOMEM;
	for (u32 width = 1; width < l->n; width *= 2) {
		for (u32 i = 0; i < l->n; i += 2 * width) {
			u32 mid = i + width < l->n ? i + width : l->n;
			u32 end = mid + width < l->n ? mid + width : l->n, a = i, b = mid;

			for (u32 k = i; k < end; k++)
				to[k] = a < mid && (b >= end || by_addr(&from[a], &from[b]) <= 0)
						? from[a++]
						: from[b++];
		}
		swap = from;
		from = to;
		to = swap;
	}
	l->rows = from;
	free(to);
	return 0;
}

/* The linker gives code that it dropped addresses from 0: no code of ours is there. */
static void drop_dead(struct elfline *l)
{
	u32 out = 0;
	bool dead = false;

	for (u32 i = 0; i < l->n; i++) {
		bool first = !i || l->rows[i - 1].file == NO_FILE;

		if (first)
			dead = !l->rows[i].addr;
		if (!dead)
			l->rows[out++] = l->rows[i];
	}
	l->n = out;
}

int elfline_load_mem(struct elfline **out, const u8 *line, u64 size, const u8 *line_str,
		     u64 line_len, const u8 *str, u64 str_len)
{
	struct strings s = { line_str, str, line_len, str_len };
	struct elfline *l = calloc(1, sizeof(*l));
	struct cursor all = { line, line + size };
	int err = l ? 0 : -ENOMEM;

	while (!err && all.p < all.end && !all.bad) {
		u64 len = take(&all, 4), left;
		struct cursor unit = { .wide = len == 0xffffffff };

		if (unit.wide)
			len = take(&all, 8);
		left = all.end - all.p;
		unit.p = all.p;
		unit.end = all.p + (len < left ? len : left);
		skip(&all, len);
		err = read_unit(l, &unit, &s);
		if (err != -ENOMEM)
			err = 0;
	}
	if (!err) {
		drop_dead(l);
		err = sort(l);
	}
	if (err) {
		elfline_free(l);
		return err;
	}
	if (l->n)
		l->rows = realloc(l->rows, (l->room = l->n) * sizeof(*l->rows)) ?: l->rows;
	*out = l;
	return 0;
}

int elfline_load(struct elfline **l, const struct elf_file *f)
{
	u64 size, line_len = 0, str_len = 0;
	u8 *line, *line_str, *str;
	int err = debugfile_section(f, ".debug_line", MAX_SECTION, &line, &size);

	if (err)
		return err;
	if (debugfile_section(f, ".debug_line_str", MAX_SECTION, &line_str, &line_len))
		line_len = 0;
	if (debugfile_section(f, ".debug_str", MAX_SECTION, &str, &str_len))
		str_len = 0;
	err = elfline_load_mem(l, line, size, line_str, line_len, str, str_len);
	free(line);
	free(line_str);
	free(str);
	return err;
}

void elfline_free(struct elfline *l)
{
	if (!l)
		return;
	free(l->rows);
	free(l->pool);
	free(l);
}

const char *elfline_find(const struct elfline *l, u64 addr, u32 *line)
{
	u32 low = 0, high = l->n;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (l->rows[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || l->rows[low - 1].file == NO_FILE)
		return NULL;
	*line = l->rows[low - 1].line;
	return l->pool + l->rows[low - 1].file;
}

size_t elfline_memory(const struct elfline *l)
{
	return sizeof(*l) + l->room * sizeof(*l->rows) + l->pool_room;
}
