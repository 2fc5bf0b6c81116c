#include <stdlib.h>
#include <string.h>

#include "nesting.h"
#include "util.h"

#define BUCKETS 1024
#define THREADS 16384 /* in a call at once */
#define DEPTH   64    /* deeper ones have lost their returns */

struct call {
	u32 function;
	bool part;  /* of a chain */
	bool whole; /* which is whole */
	void *event;
	size_t size;
};

struct thread {
	struct thread *next;
	u64 id;
	u32 depth, parts;
	struct call call[DEPTH];
};

struct nesting {
	u32 functions, threads;
	u64 lost;
	struct thread *bucket[BUCKETS];
};

struct nesting *nesting_new(u32 functions)
{
	struct nesting *n = xcalloc(1, sizeof(*n));

	n->functions = functions;
	return n;
}

/* The link that leads to the thread, or to where it belongs. */
static struct thread **find(struct nesting *n, u64 id)
{
	struct thread **link = &n->bucket[id * 0x9e3779b97f4a7c15 >> 54];

	while (*link && (*link)->id != id)
		link = &(*link)->next;
	return link;
}

static void pop(struct thread *t)
{
	struct call *c = &t->call[--t->depth];

	t->parts -= c->part;
	free(c->event);
}

static void forget(struct nesting *n, struct thread **link)
{
	struct thread *t = *link;

	while (t->depth)
		pop(t);
	*link = t->next;
	free(t);
	n->threads--;
}

static struct thread *find_or_add(struct nesting *n, u64 id)
{
	struct thread **link = find(n, id);

	if (*link && (*link)->depth == DEPTH) {
		n->lost += DEPTH;
		forget(n, link);
		link = find(n, id);
	}
	if (!*link && n->threads < THREADS) {
		*link = xcalloc(1, sizeof(**link));
		(*link)->id = id;
		n->threads++;
	}
	return *link;
}

static void give_kept(struct thread *t, void (*kept)(void *ctx, const void *event, size_t size),
		      void *ctx)
{
	for (u32 i = 0; i < t->depth; i++) {
		struct call *c = &t->call[i];

		if (!c->part)
			continue;
		c->whole = true;
		if (c->event)
			kept(ctx, c->event, c->size);
		free(c->event);
		c->event = NULL;
	}
}

static void *copy_of(const void *event, size_t size)
{
	void *copy = xcalloc(1, size ?: 1);

	return size ? memcpy(copy, event, size) : copy;
}

bool nesting_enter(struct nesting *n, u64 thread, u32 function, bool fits, const void *event,
		   size_t size, void (*kept)(void *ctx, const void *event, size_t size), void *ctx)
{
	struct thread *t = find_or_add(n, thread);
	struct call *c;

	if (!t) {
		n->lost++;
		return false;
	}
	c = &t->call[t->depth++];
	*c = (struct call){ .function = function };
	if (!fits || t->parts == n->functions || function != t->parts)
		return false;
	c->part = true;
	t->parts++;
	if (t->parts == n->functions) {
		give_kept(t, kept, ctx);
		return true;
	}
	c->event = copy_of(event, size);
	c->size = size;
	return false;
}

bool nesting_leave(struct nesting *n, u64 thread, u32 function)
{
	struct thread **link = find(n, thread), *t = *link;
	u32 at = t ? t->depth : 0;
	bool whole;

	while (at && t->call[at - 1].function != function)
		at--;
	if (!at)
		return false;
	whole = t->call[at - 1].whole;
	while (t->depth >= at)
		pop(t);
	if (!t->depth)
		forget(n, link);
	return whole;
}

u64 nesting_lost(const struct nesting *n)
{
	return n->lost;
}

void nesting_free(struct nesting *n)
{
	for (u32 i = 0; i < BUCKETS; i++)
		while (n->bucket[i])
			forget(n, &n->bucket[i]);
	free(n);
}
