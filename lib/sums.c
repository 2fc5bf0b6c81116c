#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "sums.h"
#include "util.h"

static size_t *slot_of(const struct sums *s, const char *row)
{
	size_t i = hash_bytes(row, s->rows.value) & (s->room - 1);

	while (s->slots[i] && memcmp(rows_at(&s->rows, s->slots[i] - 1), row, s->rows.value))
		i = (i + 1) & (s->room - 1);
	return &s->slots[i];
}

static void grow(struct sums *s)
{
	free(s->slots);
	s->room = s->room * 2 ?: 1024;
	s->slots = xcalloc(s->room, sizeof(*s->slots));
	for (size_t i = 0; i < s->rows.n; i++)
		*slot_of(s, rows_at(&s->rows, i)) = i + 1;
}

static void append(struct rows *rows, const char *row)
{
	if (rows->n == rows->room) {
		rows->room = rows->room * 2 ?: 64;
		rows->data = xrealloc(rows->data, rows->room * rows->size);
	}
	memcpy(rows_at(rows, rows->n++), row, rows->size);
}

static void add_value(char *to, const char *from, size_t size)
{
	u64 a, b;

	for (size_t i = 0; i + sizeof(a) <= size; i += sizeof(a)) {
		memcpy(&a, to + i, sizeof(a));
		memcpy(&b, from + i, sizeof(b));
		a += b;
		memcpy(to + i, &a, sizeof(a));
	}
}

void sums_add(struct sums *s, const struct rows *more)
{
	s->rows.value = more->value;
	s->rows.size = more->size;
	for (size_t i = 0; i < more->n; i++) {
		const char *row = rows_at(more, i);
		size_t *slot;

		if (2 * s->rows.n >= s->room)
			grow(s);
		slot = slot_of(s, row);
		if (*slot) {
			add_value(rows_at(&s->rows, *slot - 1) + more->value, row + more->value,
				  more->size - more->value);
		} else {
			append(&s->rows, row);
			*slot = s->rows.n;
		}
	}
}

void sums_clear(struct sums *s)
{
	s->rows.n = 0;
	if (s->slots)
		memset(s->slots, 0, s->room * sizeof(*s->slots));
}
