#include <stdlib.h>
#include <string.h>

#include "expr/internal.h"
#include "util.h"

#define CHUNK 4096

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

void *arena_new(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;

	size = (size + 15) / 16 * 16;
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;

		c = xcalloc(1, sizeof(*c) + room);
		c->size = room;
		c->next = a->chunks;
		a->chunks = c;
	}
	c->used += size;
	return c->data + c->used - size;
}

char *arena_text(struct arena *a, const char *s, size_t len)
{
	return memcpy(arena_new(a, len + 1), s, len);
}

void arena_free(struct arena *a)
{
	while (a->chunks) {
		struct chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
}
