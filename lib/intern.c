#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "util.h"

u64 hash_bytes(const void *data, size_t n)
{
	const u8 *p = data;
	u64 hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ull;
	return hash ^ hash >> 32;
}

static const char **slot_of(const struct interned *set, const char *s, size_t n)
{
	size_t i = hash_bytes(s, n) & (set->room - 1);

	while (set->slots[i] && (strncmp(set->slots[i], s, n) || set->slots[i][n]))
		i = (i + 1) & (set->room - 1);
	return &set->slots[i];
}

static void grow(struct interned *set)
{
	struct interned bigger = { .n = set->n, .room = set->room * 2 ?: 1024 };

	bigger.slots = xcalloc(bigger.room, sizeof(*bigger.slots));
	for (size_t i = 0; i < set->room; i++)
		if (set->slots[i])
			*slot_of(&bigger, set->slots[i], strlen(set->slots[i])) = set->slots[i];
	free(set->slots);
	*set = bigger;
}

const char *intern(struct interned *set, const char *s, size_t n)
{
	const char **slot;
	char *copy;

	n = strnlen(s, n);
	if (2 * set->n >= set->room)
		grow(set);
	slot = slot_of(set, s, n);
	if (!*slot) {
		copy = xcalloc(n + 1, 1);
		memcpy(copy, s, n);
		*slot = copy;
		set->n++;
	}
	return *slot;
}

void intern_free(struct interned *set)
{
	for (size_t i = 0; i < set->room; i++)
		free((char *)set->slots[i]);
	free(set->slots);
	*set = (struct interned){};
}
