/* The bottom of the library: messages, allocation, small conveniences. */
#ifndef UTIL_H
#define UTIL_H

#include <string.h>
#include <stdbool.h>
#include <stddef.h>

#include "types.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NSEC_PER_SEC  1000000000ull

extern const char *progname; /* prefix of every message */

/*
 * One line on stderr, after stdout is flushed. die() is for main, cmd/ and the
 * run_*() engines and exits 1; other modules return -errno. `err` is an errno
 * value of either sign.
 */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void die_err(int err, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The whole of a small file, NUL-terminated, malloc'd; NULL with errno. */
char *read_file(const char *path, size_t max, size_t *len);
char *read_fd(int fd, size_t max, size_t *len); /* from where it is; fd stays open */

/* Decimal, octal (0) or hexadecimal (0x) and nothing else, up to `max`. */
bool parse_u64(const char *s, u64 max, u64 *v);

/* Edits (insert, delete, replace, swap of neighbours) that turn a into b. */
int edit_distance(const char *a, const char *b);

static inline bool starts_with(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

#endif
