/*
 * Columns, declared once. One array names each field of a row, and from it come
 * the text header and rows, JSON keys and values, CSV, and FIELDS in the man page.
 */
#ifndef COLUMN_H
#define COLUMN_H

#include <stddef.h>
#include <stdbool.h>

#include "buf.h"

enum col_type { COL_UNSIGNED, COL_SIGNED, COL_BOOL, COL_STRING, COL_BYTES };

/*
 * How to read a value, where its C type does not say. Times and durations are
 * nanoseconds in the row and in JSON; text shows them as named here.
 */
enum col_as {
	AS_IS,
	AS_OCTAL, /* with at least .digits digits */
	AS_HEX,
	AS_TIME,    /* CLOCK_MONOTONIC as 20:31:40; JSON has ISO 8601 */
	AS_ELAPSED, /* CLOCK_MONOTONIC as seconds since tracing began, .digits after the point */
	AS_SECS,    /* ns as seconds, .digits after the point */
	AS_MS,      /* ns as milliseconds, .digits after the point */
	AS_US,      /* ns as microseconds, whole */
	AS_KB,      /* bytes as kilobytes of 1024, whole */
	AS_IP,      /* 16 bytes, IPv4 as ::ffff:a.b.c.d */
	AS_ARGV,    /* strings one after another, each ended by NUL; JSON has an array */
	AS_KSTACK,  /* id of a kernel stack: run_stacks() prints it */
	AS_USTACK,
};

struct column {
	const char *key;  /* the field's name; its last part is the JSON key */
	const char *head; /* text header */
	int width;        /* as in printf: negative aligns left */
	const char *help;
	enum col_type type;
	size_t offset, size;
	enum col_as as;
	int digits;
	const bool *show;  /* text only: NULL is always; JSON and CSV have every column */
	const char *owner; /* AS_USTACK: key of the column with its process, "pid" by default */
	bool no_data;      /* but this: text has the value under another head too */

	/* names[value], if there: text and JSON print the name; past `named`, the number. */
	const char *const *names;
	unsigned named;

	/* Writes the text of the value at `field`; JSON and CSV keep the raw value. */
	void (*text)(struct buf *b, const void *field, const void *row);

	/* As `text`, with the result as a string in JSON and CSV too. */
	void (*name)(struct buf *b, const void *field, const void *row);
};

#define COL_TYPE(f)                                                                                \
	_Generic((f),                                                                              \
		bool: COL_BOOL,                                                                    \
		char *: COL_STRING,                                                                \
		u8 *: COL_BYTES,                                                                   \
		u8: COL_UNSIGNED,                                                                  \
		u16: COL_UNSIGNED,                                                                 \
		u32: COL_UNSIGNED,                                                                 \
		u64: COL_UNSIGNED,                                                                 \
		s32: COL_SIGNED,                                                                   \
		s64: COL_SIGNED)

/* The applet says what a row is: #define ROW struct opensnoop_event. */
#define COL(field, head_, width_, help_, ...)                                                      \
	{                                                                                          \
		.key = #field, .head = head_, .width = width_, .help = help_,                      \
		.type = COL_TYPE(((ROW *)0)->field), .offset = offsetof(ROW, field),               \
		.size = sizeof(((ROW *)0)->field), ##__VA_ARGS__                                   \
	}

/* A column that JSON and CSV have and text has not. */
#define COL_DATA(field, help_, ...) COL(field, NULL, 0, help_, .show = &col_never, ##__VA_ARGS__)

#define NAMES(array) .names = array, .named = ARRAY_SIZE(array)

extern const bool col_never; /* false */

const char *col_key(const struct column *c);
const struct column *col_find(const struct column *cols, const char *key);
bool col_shown(const struct column *c);
u64 col_u64(const struct column *c, const void *row); /* sign-extended */

/* Rows are compared by a column's value, numbers as numbers. */
int col_compare(const struct column *c, const void *a, const void *b);

/*
 * Header and rows in the form out_mode asks for, appended to `b`. `size` is how much of the
 * row there is (its last string may be cut short). `stamp`, if not 0, is the CLOCK_MONOTONIC
 * time that JSON and CSV rows carry as "time". A row ends in a newline.
 */
void cols_header(struct buf *b, const struct column *cols, bool stamped);
void cols_row(struct buf *b, const struct column *cols, const void *row, size_t size, u64 stamp);

/* Parts of the above, for engines: one value as text; members "key":value, comma between. */
void col_text(struct buf *b, const struct column *c, const void *row, size_t size);
void cols_json(struct buf *b, const struct column *cols, const void *row, size_t size);
void cols_csv(struct buf *b, const struct column *cols, const void *row, size_t size);

/* "pid = 181 bash": what a histogram is of. Shown columns only; nothing if there are none. */
bool cols_label(struct buf *b, const struct column *cols, const void *row, size_t size);

#endif
