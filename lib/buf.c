#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "util.h"

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){};
}

char *buf_more(struct buf *b, size_t n)
{
	if (b->len + n >= b->room) { /* `data` is never NULL, even for nothing */
		b->room = (b->len + n) * 2 < 256 ? 256 : (b->len + n) * 2;
		b->data = xrealloc(b->data, b->room);
	}
	return b->data + b->len;
}

void buf_mem(struct buf *b, const char *s, size_t n)
{
	memcpy(buf_more(b, n), s, n);
	b->len += n;
}

void buf_str(struct buf *b, const char *s)
{
	buf_mem(b, s, strlen(s));
}

void buf_chr(struct buf *b, char c)
{
	*buf_more(b, 1) = c;
	b->len++;
}

static void digits_of(struct buf *b, u64 v, unsigned bits, int at_least)
{
	char text[64], *p = text + sizeof(text);

	while (v || at_least > 0) {
		*--p = "0123456789abcdef"[v & ((1u << bits) - 1)];
		v >>= bits;
		at_least--;
	}
	buf_mem(b, p, text + sizeof(text) - p);
}

void buf_digits(struct buf *b, u64 v, int digits)
{
	char text[64], *p = text + sizeof(text);

	while (v || digits > 0) {
		*--p = '0' + v % 10;
		v /= 10;
		digits--;
	}
	buf_mem(b, p, text + sizeof(text) - p);
}

void buf_u64(struct buf *b, u64 v)
{
	buf_digits(b, v, 1);
}

void buf_s64(struct buf *b, s64 v)
{
	if (v < 0)
		buf_chr(b, '-');
	buf_u64(b, v < 0 ? -(u64)v : (u64)v);
}

void buf_octal(struct buf *b, u64 v, int digits)
{
	digits_of(b, v, 3, digits);
}

void buf_hex(struct buf *b, u64 v)
{
	buf_str(b, "0x");
	digits_of(b, v, 4, 1);
}

void buf_fixed(struct buf *b, u64 v, u64 unit, int digits)
{
	u64 rest = v % unit;

	u64 scale = 1;

	buf_u64(b, v / unit);
	if (!digits)
		return;
	for (int i = 0; i < digits; i++)
		scale *= 10;
	buf_chr(b, '.');
	buf_digits(b, scale <= unit ? rest / (unit / scale) : rest * (scale / unit), digits);
}

void buf_fill(struct buf *b, char c, int n)
{
	if (n <= 0)
		return;
	memset(buf_more(b, n), c, n);
	b->len += n;
}

void buf_vfmt(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return;
	vsnprintf(buf_more(b, n + 1), n + 1, fmt, ap);
	b->len += n;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(b, fmt, ap);
	va_end(ap);
}

void buf_align(struct buf *b, size_t start, int width)
{
	int want = width < 0 ? -width : width, chars = 0;

	for (size_t i = start; i < b->len; i++)
		chars += ((unsigned char)b->data[i] & 0xc0) != 0x80;
	if (chars >= want)
		return;
	buf_fill(b, ' ', want - chars);
	if (width > 0) {
		size_t text = b->len - start - (want - chars);

		memmove(b->data + start + (want - chars), b->data + start, text);
		memset(b->data + start, ' ', want - chars);
	}
}

/* The length of the UTF-8 character at s, 0 if it is none (RFC 3629); its code point in *c. */
static int utf8(const unsigned char *s, size_t n, u32 *c)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int len = s[0] < 0x80           ? 1
		  : (s[0] >> 5) == 6    ? 2
		  : (s[0] >> 4) == 0xe  ? 3
		  : (s[0] >> 3) == 0x1e ? 4
					: 0;

	if (!len || (size_t)len > n)
		return 0;
	*c = len == 1 ? s[0] : s[0] & (0x7f >> len);
	for (int i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	return *c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000) ? 0 : len;
}

/* C0, C1 and DEL, line separators, and the bidirectional controls of Unicode 15, chapter 23.2. */
static bool harmful(u32 c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* Writes s, with what `harmful` or no UTF-8 as \xHH a byte. */
void buf_safe(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t plain = i;
		u32 c = 0;
		int len;

		while (plain < n && s[plain] >= 0x20 && s[plain] < 0x7f)
			plain++;
		buf_mem(b, s + i, plain - i);
		i = plain;
		if (i == n)
			return;
		len = utf8((const unsigned char *)s + i, n - i, &c);
		if (len && !harmful(c)) {
			buf_mem(b, s + i, len);
			i += len;
			continue;
		}
		for (int end = len ?: 1; end; end--, i++) {
			buf_str(b, "\\x");
			digits_of(b, (unsigned char)s[i], 4, 2);
		}
	}
}

void buf_json(struct buf *b, const char *s, size_t n)
{
	buf_chr(b, '"');
	for (size_t i = 0; i < n;) {
		size_t plain = i;
		u32 c = 0;
		int len;

		while (plain < n && s[plain] >= 0x20 && s[plain] < 0x7f && s[plain] != '"' &&
		       s[plain] != '\\')
			plain++;
		buf_mem(b, s + i, plain - i);
		i = plain;
		if (i == n)
			break;
		len = utf8((const unsigned char *)s + i, n - i, &c);
		if (len && c >= 0x20 && c != 0x7f && c != '"' && c != '\\') {
			buf_mem(b, s + i, len);
		} else if (c == '"' || c == '\\') {
			buf_chr(b, '\\');
			buf_chr(b, c);
		} else {
			buf_str(b, "\\u");
			digits_of(b, (unsigned char)s[i], 4, 4);
		}
		i += len ?: 1;
	}
	buf_chr(b, '"');
}

void buf_csv(struct buf *b, const char *s, size_t n)
{
	struct buf safe = {};

	buf_safe(&safe, s, n);
	if (!memchr(safe.data ?: "", '"', safe.len) && !memchr(safe.data ?: "", ',', safe.len)) {
		buf_mem(b, safe.data ?: "", safe.len);
	} else {
		buf_chr(b, '"');
		for (size_t i = 0; i < safe.len; i++) {
			if (safe.data[i] == '"')
				buf_chr(b, '"');
			buf_chr(b, safe.data[i]);
		}
		buf_chr(b, '"');
	}
	buf_free(&safe);
}
