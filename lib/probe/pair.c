#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

int pairs_check(const struct spec *spec, struct spec_error *err)
{
	if (spec->kind == SPEC_TRACEPOINT || spec->kind == SPEC_USDT)
		return resolve_error(err, spec->name_at, -EINVAL,
				     "only a function has an entry and a return");
	if (spec->kind == SPEC_RETURN)
		return resolve_error(err, spec->name_at, -EINVAL,
				     "name the function itself: its return is probed anyway");
	if (spec->offset)
		return resolve_error(err, spec->name_at, -EINVAL,
				     "name the whole function: calls have no offset");
	return 0;
}

int pairs_add(struct sites *s, const struct spec *spec, u32 pid, struct spec_error *err)
{
	struct spec returns = *spec;
	int ret = pairs_check(spec, err) ?: sites_add(s, spec, pid, err);

	returns.kind = SPEC_RETURN;
	return ret ?: sites_add(s, &returns, pid, err);
}

static int compare_name(const struct site *a, const struct site *b)
{
	if (a->in != b->in)
		return a->in < b->in ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int by_name(const void *a, const void *b)
{
	const struct site *x = a, *y = b;
	int cmp = compare_name(x, y);

	if (cmp)
		return cmp;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Of several functions of one name in a file each has the return at its own place. */
static bool is_return_of(const struct site *r, const struct site *entry, const struct site *next)
{
	if (r->kind != SPEC_RETURN)
		return false;
	if (!r->at_ret)
		return r->offset == entry->offset;
	return r->offset >= entry->offset && (!next || r->offset < next->offset);
}

/* The two halves of what is kept. */
struct halves {
	struct site *entries, *returns;
	u32 nentries, nreturns;
};

/* Keeps the entry and its returns, which are among the sites up to `end`, if there are any. */
static void keep_function(struct halves *h, const struct site *entry, const struct site *end)
{
	const struct site *next = entry + 1 < end && entry[1].kind == SPEC_ENTRY ? entry + 1 : NULL;
	u32 number = h->nentries << CALL_SHIFT, before = h->nreturns;

	for (const struct site *r = entry; r < end; r++) {
		struct site *kept = &h->returns[h->nreturns];

		if (!is_return_of(r, entry, next))
			continue;
		*kept = *r;
		kept->number = number | CALL_RETURN | (r->at_ret ? CALL_GO : 0);
		h->nreturns++;
	}
	if (h->nreturns == before)
		return;
	h->entries[h->nentries] = *entry;
	h->entries[h->nentries++].number = number | (h->returns[before].at_ret ? CALL_GO : 0);
}

int pairs_number(struct sites *s)
{
	struct halves h = {
		.entries = calloc(s->n ?: 1, sizeof(*h.entries)),
		.returns = calloc(s->n ?: 1, sizeof(*h.returns)),
	};
	const struct site *end;

	if (!h.entries || !h.returns) {
		free(h.entries);
		free(h.returns);
		return -ENOMEM;
	}
	sites_unique(s);
	if (s->n) /* else there is no array */
		qsort(s->at, s->n, sizeof(*s->at), by_name);
	for (const struct site *name = s->at; name < s->at + s->n; name = end) {
		for (end = name; end < s->at + s->n && !compare_name(name, end);)
			end++;
		for (const struct site *e = name; e < end && e->kind == SPEC_ENTRY; e++)
			keep_function(&h, e, end);
	}
	s->n = h.nreturns + h.nentries;
	for (u32 i = 0; i < s->n; i++)
		s->at[i] = i < h.nreturns ? h.returns[i] : h.entries[i - h.nreturns];
	free(h.entries);
	free(h.returns);
	return h.nentries;
}
