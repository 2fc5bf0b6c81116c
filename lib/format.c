#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "util.h"

#define WIDTH_MAX 4096

struct reader {
	const char *source;
	u32 at, end;
	struct format *f;
	struct format_error *err;
};

static bool fail(struct reader *r, u32 at, u32 len, const char *text)
{
	r->err->at = at;
	r->err->len = len;
	snprintf(r->err->text, sizeof(r->err->text), "%s", text);
	return false;
}

static char peek(const struct reader *r)
{
	return r->at < r->end ? r->source[r->at] : '\0';
}

static struct format_part *add_part(struct reader *r)
{
	return r->f->n < FORMAT_PARTS ? &r->f->part[r->f->n++] : NULL;
}

/* A character of the text, which grows its last part. */
static bool add_char(struct reader *r, char c, u32 at)
{
	struct format *f = r->f;
	struct format_part *p = f->n ? &f->part[f->n - 1] : NULL;

	if (!p || p->conversion) {
		p = add_part(r);
		if (!p)
			return fail(r, at, 1, "the format has too many parts");
		*p = (struct format_part){ .start = f->text.len };
	}
	buf_chr(&f->text, c);
	p->len++;
	return true;
}

static bool read_escape(struct reader *r)
{
	static const char letters[] = "abefnrtv0\\'\"", values[] = "\a\b\033\f\n\r\t\v\0\\'\"";
	u32 at = r->at++;
	const char *letter = r->at < r->end ? memchr(letters, peek(r), sizeof(letters) - 1) : NULL;

	if (!letter)
		return fail(r, at, 2, "there is no such escape sequence");
	r->at++;
	return add_char(r, values[letter - letters], at);
}

static bool read_int(struct reader *r, int *v)
{
	for (*v = 0; isdigit((u8)peek(r)); r->at++) {
		*v = *v * 10 + (peek(r) - '0');
		if (*v > WIDTH_MAX)
			return fail(r, r->at, 1, "that is too wide");
	}
	return true;
}

/* hh h l ll z j t */
static u8 read_length(struct reader *r)
{
	u8 size = 4;

	for (; strchr("hlzjt", peek(r)) && peek(r); r->at++)
		size = peek(r) == 'h' ? size / 2 : 8;
	return size ?: 1;
}

static bool read_conversion(struct reader *r)
{
	u32 start = r->at++;
	struct format_part p = { .precision = -1, .at = start }, *made;
	size_t flags = 0;

	while (peek(r) && strchr("-+ #0", peek(r)) && flags < sizeof(p.flags) - 1)
		p.flags[flags++] = r->source[r->at++];
	if (!read_int(r, &p.width))
		return false;
	if (peek(r) == '.') {
		r->at++;
		if (!read_int(r, &p.precision))
			return false;
	}
	p.size = read_length(r);
	p.conversion = peek(r);
	if (r->at < r->end)
		r->at++;
	p.width_of = r->at - start;
	if (!p.conversion)
		return fail(r, start, p.width_of, "the conversion does not end");
	if (!strchr("diuxXocspKUIM", p.conversion))
		return fail(r, start, p.width_of, "there is no such conversion");
	made = add_part(r);
	if (!made)
		return fail(r, start, p.width_of, "the format has too many parts");
	*made = p;
	r->f->nvalues++;
	return true;
}

bool format_parse(struct format *f, const char *source, u32 start, u32 end,
		  struct format_error *err)
{
	struct reader r = { source, start, end, f, err };

	*f = (struct format){};
	while (r.at < end) {
		bool ok;

		if (peek(&r) == '\\') {
			ok = read_escape(&r);
		} else if (peek(&r) == '%' && r.at + 1 < end && source[r.at + 1] == '%') {
			ok = add_char(&r, '%', r.at);
			r.at += 2;
		} else if (peek(&r) == '%') {
			ok = read_conversion(&r);
		} else {
			ok = add_char(&r, source[r.at], r.at);
			r.at++;
		}
		if (!ok) {
			format_free(f);
			return false;
		}
	}
	return true;
}

void format_free(struct format *f)
{
	buf_free(&f->text);
	f->n = f->nvalues = 0;
}

const struct format_part *format_value_part(const struct format *f, int i)
{
	for (int j = 0; j < f->n; j++)
		if (f->part[j].conversion && !i--)
			return &f->part[j];
	return NULL;
}

static void number(struct buf *b, const struct format_part *p, u64 v)
{
	bool is_signed = p->conversion == 'd' || p->conversion == 'i';
	int unused = 64 - 8 * p->size;
	char spec[32];

	v = is_signed ? (u64)((s64)(v << unused) >> unused) : v << unused >> unused;
	if (p->precision >= 0)
		snprintf(spec, sizeof(spec), "%%%s%d.%dll%c", p->flags, p->width, p->precision,
			 p->conversion);
	else if (p->width)
		snprintf(spec, sizeof(spec), "%%%s%dll%c", p->flags, p->width, p->conversion);
	else
		snprintf(spec, sizeof(spec), "%%%sll%c", p->flags, p->conversion);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_fmt(b, spec, v);
#pragma GCC diagnostic pop
}

static void text(struct buf *b, const struct format_part *p, const struct format_value *v)
{
	size_t len = strnlen(v->bytes, v->size);

	if (p->precision >= 0 && (size_t)p->precision < len)
		len = p->precision;
	buf_safe(b, v->bytes, len);
}

static void internet(struct buf *b, const struct format_value *v)
{
	char address[INET6_ADDRSTRLEN] = "?";

	if (v->size == 4 || v->size == 16)
		inet_ntop(v->size == 4 ? AF_INET : AF_INET6, v->bytes, address, sizeof(address));
	buf_str(b, address);
}

static void ethernet(struct buf *b, const struct format_value *v)
{
	const u8 *byte = v->bytes;

	for (u32 i = 0; i < 6 && i < v->size; i++)
		buf_fmt(b, "%s%02x", i ? ":" : "", byte[i]);
}

static void value(struct buf *b, const struct format_part *p, const struct format_value *v,
		  format_symbol *symbol, void *ctx)
{
	size_t start = b->len;
	char c = v->number;

	if (v->fault) {
		buf_str(b, "(fault)");
	} else {
		switch (p->conversion) {
		case 's': text(b, p, v); break;
		case 'c': buf_safe(b, &c, 1); break;
		case 'p': buf_hex(b, v->number); break;
		case 'K':
		case 'U': symbol(b, p->conversion == 'U', v->number, ctx); break;
		case 'I': internet(b, v); break;
		case 'M': ethernet(b, v); break;
		default: number(b, p, v->number); return; /* aligned already */
		}
	}
	buf_align(b, start, strchr(p->flags, '-') ? -p->width : p->width);
}

void format_print(struct buf *b, const struct format *f, const struct format_value *values,
		  format_symbol *symbol, void *ctx)
{
	for (int i = 0; i < f->n; i++) {
		const struct format_part *p = &f->part[i];

		if (p->conversion)
			value(b, p, values++, symbol, ctx);
		else
			buf_mem(b, f->text.data + p->start, p->len);
	}
}
