/* Strings kept once: equal ones have the same address, and keep it. */
#ifndef INTERN_H
#define INTERN_H

#include <stddef.h>

#include "types.h"

struct interned {
	const char **slots; /* open addressing; NULL is free */
	size_t n, room;     /* room is a power of two */
};

/* Dies if there is no memory. */
const char *intern(struct interned *set, const char *s, size_t n);
void intern_free(struct interned *set);

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/; for any table of ours. */
u64 hash_bytes(const void *data, size_t n);

#endif
