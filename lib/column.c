#include <string.h>

#include "clock.h"
#include "column.h"
#include "flow.h"
#include "out.h"
#include "util.h"

const bool col_never;

/* Columns of nested fields are keyed by their last part: "key.pid" is "pid". */
const char *col_key(const struct column *c)
{
	const char *dot = strrchr(c->key, '.');

	return dot ? dot + 1 : c->key;
}

const struct column *col_find(const struct column *cols, const char *key)
{
	for (; cols && cols->key; cols++)
		if (!strcmp(col_key(cols), key))
			return cols;
	return NULL;
}

bool col_shown(const struct column *c)
{
	return !c->show || *c->show;
}

u64 col_u64(const struct column *c, const void *row)
{
	const char *p = (const char *)row + c->offset;
	u8 v8;
	u16 v16;
	u32 v32;
	u64 v64;

	/* memcpy: rows made of a map's key and value are packed, and unaligned at times. */
	switch (c->size) {
	case 1: memcpy(&v8, p, 1); return v8;
	case 2: memcpy(&v16, p, 2); return v16;
	case 4: memcpy(&v32, p, 4); return c->type == COL_SIGNED ? (u64)(s64)(s32)v32 : v32;
	default: memcpy(&v64, p, 8); return v64;
	}
}

int col_compare(const struct column *c, const void *a, const void *b)
{
	if (c->type == COL_STRING || c->type == COL_BYTES)
		return memcmp((const char *)a + c->offset, (const char *)b + c->offset, c->size);

	u64 x = col_u64(c, a), y = col_u64(c, b);

	if (c->type == COL_SIGNED)
		return (s64)x < (s64)y ? -1 : (s64)x > (s64)y;
	return x < y ? -1 : x > y;
}

static bool numeric(const struct column *c)
{
	return c->type != COL_STRING && c->type != COL_BYTES;
}

/* How much of a string or of bytes the row has. */
static size_t room(const struct column *c, size_t size)
{
	return c->offset >= size ? 0 : c->size < size - c->offset ? c->size : size - c->offset;
}

static size_t string_len(const struct column *c, const void *row, size_t size)
{
	return strnlen((const char *)row + c->offset, room(c, size));
}

/* Calls `each` for every string of a row of strings ended by NULs. */
static void argv_each(struct buf *b, const struct column *c, const void *row, size_t size,
		      const char *between, void (*each)(struct buf *, const char *, size_t))
{
	const char *p = (const char *)row + c->offset, *end = p + room(c, size);

	for (bool first = true; p < end; first = false) {
		size_t len = strnlen(p, end - p);

		if (!first)
			buf_str(b, between);
		each(b, p, len);
		p += len + 1;
	}
}

static void number_text(struct buf *b, const struct column *c, const void *row)
{
	u64 v = col_u64(c, row);

	switch (c->as) {
	case AS_OCTAL: buf_octal(b, v, c->digits ?: 1); return;
	case AS_HEX: buf_hex(b, v); return;
	case AS_TIME: clock_hms(b, v); return;
	case AS_ELAPSED:
		buf_fixed(b, v > clock_start ? v - clock_start : 0, NSEC_PER_SEC, c->digits);
		return;
	case AS_SECS: buf_fixed(b, v, NSEC_PER_SEC, c->digits); return;
	case AS_MS: buf_fixed(b, v, 1000000, c->digits); return;
	case AS_US: buf_u64(b, v / 1000); return;
	case AS_KB: buf_u64(b, v / 1024); return;
	default: break;
	}
	if (c->type == COL_SIGNED)
		buf_s64(b, v);
	else
		buf_u64(b, v);
}

static const char *name_of(const struct column *c, const void *row)
{
	u64 v = c->names ? col_u64(c, row) : 0;

	return c->names && v < c->named ? c->names[v] : NULL;
}

void col_text(struct buf *b, const struct column *c, const void *row, size_t size)
{
	const char *field = (const char *)row + c->offset, *name = name_of(c, row);

	if (c->text)
		c->text(b, field, row);
	else if (c->name)
		c->name(b, field, row);
	else if (name)
		buf_str(b, name);
	else if (c->as == AS_IP)
		flow_ip(b, (const u8 *)field);
	else if (c->as == AS_ARGV)
		argv_each(b, c, row, size, " ", buf_safe);
	else if (numeric(c))
		number_text(b, c, row);
	else
		buf_safe(b, field, string_len(c, row, size));
}

/* What JSON and CSV hold: raw numbers, or a string through `quote`. */
static void data(struct buf *b, const struct column *c, const void *row, size_t size,
		 void (*quote)(struct buf *, const char *, size_t))
{
	const char *field = (const char *)row + c->offset, *name = name_of(c, row);
	struct buf text = {};

	if (c->name) {
		c->name(&text, field, row);
	} else if (name) {
		buf_str(&text, name);
	} else if (c->as == AS_IP) {
		flow_ip(&text, (const u8 *)field);
	} else if (c->as == AS_TIME || c->as == AS_ELAPSED) {
		const char *q = out_mode == OUT_JSON ? "\"" : "";

		buf_str(b, q);
		clock_iso(b, col_u64(c, row));
		buf_str(b, q);
		return;
	} else if (c->as == AS_ARGV && out_mode == OUT_JSON) {
		buf_chr(b, '[');
		argv_each(b, c, row, size, ",", quote);
		buf_chr(b, ']');
		return;
	} else if (c->as == AS_ARGV) {
		argv_each(&text, c, row, size, " ", buf_mem);
	} else if (c->type == COL_BOOL) {
		buf_str(b, col_u64(c, row) ? "true" : "false");
		return;
	} else if (c->type == COL_SIGNED) {
		buf_s64(b, col_u64(c, row));
		return;
	} else if (numeric(c)) {
		buf_u64(b, col_u64(c, row));
		return;
	} else {
		quote(b, field, string_len(c, row, size));
		return;
	}
	quote(b, text.data ?: "", text.len);
	buf_free(&text);
}

/* lib/stacks.c prints these, before JSON's and CSV's other columns and below a line of text. */
static bool is_stack(const struct column *c)
{
	return c->as == AS_KSTACK || c->as == AS_USTACK;
}

/* Columns that JSON and CSV have not. */
static bool no_data(const struct column *c)
{
	return c->no_data || is_stack(c);
}

static bool in_text(const struct column *c)
{
	return col_shown(c) && !is_stack(c);
}

void cols_json(struct buf *b, const struct column *cols, const void *row, size_t size)
{
	const char *sep = "\"";

	for (const struct column *c = cols; c && c->key; c++) {
		if (no_data(c))
			continue;
		buf_str(b, sep);
		buf_str(b, col_key(c));
		buf_mem(b, "\":", 2);
		data(b, c, row, size, buf_json);
		sep = ",\"";
	}
}

void cols_csv(struct buf *b, const struct column *cols, const void *row, size_t size)
{
	const char *sep = "";

	for (const struct column *c = cols; c && c->key; c++) {
		if (no_data(c))
			continue;
		buf_str(b, sep);
		data(b, c, row, size, buf_csv);
		sep = ",";
	}
}

void cols_header(struct buf *b, const struct column *cols, bool stamped)
{
	const char *sep = stamped ? "time," : "";

	if (out_mode == OUT_JSON)
		return;
	for (const struct column *c = cols; c->key; c++) {
		if (out_mode == OUT_CSV) {
			if (no_data(c))
				continue;
			buf_fmt(b, "%s%s", sep, col_key(c));
			sep = ",";
		} else if (in_text(c)) {
			size_t start = b->len + strlen(sep);

			buf_fmt(b, "%s%s", sep, c->head);
			buf_align(b, start, c->width);
			sep = " ";
		}
	}
	while (b->len && b->data[b->len - 1] == ' ')
		b->len--;
	buf_chr(b, '\n');
}

static void row_text(struct buf *b, const struct column *cols, const void *row, size_t size)
{
	const struct column *last = NULL;
	bool first = true;

	for (const struct column *c = cols; c->key; c++)
		if (in_text(c))
			last = c;
	for (const struct column *c = cols; c->key; c++) {
		size_t start;

		if (!in_text(c))
			continue;
		if (!first)
			buf_chr(b, ' ');
		first = false;
		start = b->len;
		col_text(b, c, row, size);
		if (c != last || c->width > 0) /* no spaces before the newline */
			buf_align(b, start, c->width);
	}
}

void cols_row(struct buf *b, const struct column *cols, const void *row, size_t size, u64 stamp)
{
	switch (out_mode) {
	case OUT_TEXT: row_text(b, cols, row, size); break;
	case OUT_JSON:
		buf_chr(b, '{');
		if (stamp) {
			buf_str(b, "\"time\":\"");
			clock_iso(b, stamp);
			buf_str(b, "\",");
		}
		cols_json(b, cols, row, size);
		buf_chr(b, '}');
		break;
	case OUT_CSV:
		if (stamp) {
			clock_iso(b, stamp);
			buf_chr(b, ',');
		}
		cols_csv(b, cols, row, size);
		break;
	}
	buf_chr(b, '\n');
}

bool cols_label(struct buf *b, const struct column *cols, const void *row, size_t size)
{
	bool any = false;

	for (const struct column *c = cols; c && c->key; c++) {
		if (!col_shown(c))
			continue;
		if (!any)
			buf_fmt(b, "%s = ", c->head);
		else
			buf_chr(b, ' ');
		col_text(b, c, row, size);
		any = true;
	}
	return any;
}
