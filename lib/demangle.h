/*
 * Names of C++ and Rust functions as their source has them, by binutils' libiberty. What cannot be
 * read, or would be absurdly long, stays as it is.
 */
#ifndef SYM_DEMANGLE_H
#define SYM_DEMANGLE_H

#include "buf.h"

/* Appends the name in the form of its source; false: it has none, and nothing was appended. */
bool demangle(struct buf *b, const char *name);

/* On unless it is turned off (--no-demangle): for what shows names. */
extern bool demangle_off;

#endif
