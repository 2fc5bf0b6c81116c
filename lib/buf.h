/*
 * A growing string, and the few ways of writing into one that rows are made of.
 * printf is kept off the path of events: a storm of them is formatted here.
 */
#ifndef BUF_H
#define BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "types.h"

struct buf {
	char *data;
	size_t len, room;
};

void buf_free(struct buf *b);
char *buf_more(struct buf *b, size_t n); /* room for n more bytes; the caller adds to len */
void buf_mem(struct buf *b, const char *s, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_chr(struct buf *b, char c);
void buf_u64(struct buf *b, u64 v);
void buf_s64(struct buf *b, s64 v);
void buf_digits(struct buf *b, u64 v, int digits);          /* decimal, zero-padded to `digits` */
void buf_octal(struct buf *b, u64 v, int digits);           /* zero-padded to `digits` */
void buf_hex(struct buf *b, u64 v);                         /* with 0x */
void buf_fixed(struct buf *b, u64 v, u64 unit, int digits); /* v / unit, rounded down */
void buf_fill(struct buf *b, char c, int n);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list ap);

/* Aligns what was written since `start` as printf's width does: negative is left. */
void buf_align(struct buf *b, size_t start, int width);

/*
 * Text from whoever is traced, made safe for a line on a terminal: control
 * characters, invalid UTF-8 and bidirectional controls become \xHH.
 */
void buf_safe(struct buf *b, const char *s, size_t n);

/* A JSON string with its quotes (RFC 8259); a byte that is not UTF-8 becomes \u00HH. */
void buf_json(struct buf *b, const char *s, size_t n);

/* A CSV field (RFC 4180), quoted where it must be; control characters as in buf_safe(). */
void buf_csv(struct buf *b, const char *s, size_t n);

#endif
