/*
 * Format strings of trace, taken apart once and filled with values of events. Conversions are
 * printf's for integers and strings (C11 7.21.6.1; a length says how many bytes of the value
 *count), and
 *
 *	%p        an address, in hexadecimal
 *	%K %U     the name of a kernel's, of a process's address
 *	%I        an Internet address of 4 or 16 bytes, in network order
 *	%M        an Ethernet address of 6 bytes
 */
#ifndef FORMAT_H
#define FORMAT_H

#include "buf.h"

#define FORMAT_PARTS 64

struct format_part {
	char conversion;      /* 'd', 's', ...; 0: it is text */
	u8 size;              /* of integers: how many bytes count */
	u32 start, len;       /* text: in `text` */
	char flags[8];        /* those of "-+ #0" that were given */
	int width, precision; /* precision -1: none */
	u32 at, width_of;     /* where in the source the conversion stands, for errors */
};

struct format {
	struct buf text; /* escapes resolved */
	struct format_part part[FORMAT_PARTS];
	int n, nvalues;
};

struct format_error {
	u32 at, len;
	char text[100];
};

/* What stands between the quotes: source[start] to source[end - 1]. False: *err says why. */
bool format_parse(struct format *f, const char *source, u32 start, u32 end,
		  struct format_error *err);
void format_free(struct format *f);

/* The part that prints value i. */
const struct format_part *format_value_part(const struct format *f, int i);

struct format_value {
	bool fault;        /* could not be read: "(fault)" */
	u64 number;        /* sign-extended if its type is signed */
	const void *bytes; /* of %s, %I, %M; of %s up to a NUL */
	u32 size;
};

/* Writes the name of an address. */
typedef void format_symbol(struct buf *b, bool user, u64 address, void *ctx);

/* Values in their order; texts are made safe for a line. */
void format_print(struct buf *b, const struct format *f, const struct format_value *values,
		  format_symbol *symbol, void *ctx);

#endif
