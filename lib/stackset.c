#include <stdlib.h>
#include <string.h>

#include "stackset.h"
#include "util.h"

/* Ids are hashes already. */
static size_t slot_of(const struct stackset *set, u64 id)
{
	size_t i = id & (set->room - 1);

	while (set->slots[i].id != STACK_NONE && set->slots[i].id != id)
		i = (i + 1) & (set->room - 1);
	return i;
}

static void grow(struct stackset *set)
{
	struct stackset bigger = *set;

	bigger.room = set->room * 2 ?: 1024;
	bigger.slots = xcalloc(bigger.room, sizeof(*bigger.slots));
	for (size_t i = 0; i < set->room; i++)
		if (set->slots[i].id != STACK_NONE)
			bigger.slots[slot_of(&bigger, set->slots[i].id)] = set->slots[i];
	free(set->slots);
	*set = bigger;
}

void stackset_add(struct stackset *set, u64 id, const struct bcc_stack *s)
{
	size_t i, n = s->n < STACK_DEPTH ? s->n : STACK_DEPTH;

	if (id == STACK_NONE || id == STACK_LOST)
		return;
	if (4 * set->n >= 3 * set->room)
		grow(set);
	i = slot_of(set, id);
	if (set->slots[i].id == id)
		return;
	if (set->used + n + 1 > set->words_room) {
		set->words_room = 2 * set->words_room + STACK_DEPTH + 1;
		set->words = xrealloc(set->words, set->words_room * sizeof(*set->words));
	}
	set->slots[i].id = id;
	set->slots[i].at = set->used;
	set->n++;
	set->words[set->used++] = n;
	memcpy(set->words + set->used, s->ip, n * sizeof(*s->ip));
	set->used += n;
}

bool stackset_get(const struct stackset *set, u64 id, struct bcc_stack *s)
{
	const u64 *words;

	if (!set->room || set->slots[slot_of(set, id)].id != id || id == STACK_NONE)
		return false;
	words = set->words + set->slots[slot_of(set, id)].at;
	s->n = *words;
	memcpy(s->ip, words + 1, s->n * sizeof(*s->ip));
	return true;
}

void stackset_free(struct stackset *set)
{
	free(set->slots);
	free(set->words);
	*set = (struct stackset){};
}
