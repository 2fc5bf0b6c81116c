#include <string.h>

#include "buf.h"
#include "probed.h"
#include "story.h"
#include "util.h"

/* What was added, for stories_tell(). */
static struct added {
	size_t prefix; /* bytes before the name in that of a site */
	const struct story *stories;
	size_t n;
} added[4];
static u32 nadded;

static void remember(const char *where, const struct story *stories, size_t n)
{
	const char *colon = strrchr(where, ':');
	bool tracepoints = starts_with(where, "t:");

	if (nadded == ARRAY_SIZE(added))
		die("too many lists of functions");
	added[nadded++] = (struct added){
		.prefix = tracepoints ? strlen(where) - strlen("t:") : strlen(colon + 1),
		.stories = stories,
		.n = n,
	};
}

/* One regular expression for all: the file of the library is read once. */
static void add_any(const char *before, const char *where, const struct story *stories, size_t n,
		    bool returns)
{
	struct buf b = {};
	bool any = false;

	buf_fmt(&b, "%s%s(", before, where);
	for (size_t i = 0; i < n; i++)
		if (returns ? stories[i].returned : stories[i].entry) {
			buf_fmt(&b, "%s%s", any ? "|" : "", stories[i].name);
			any = true;
		}
	buf_str(&b, ")$");
	buf_chr(&b, '\0');
	if (any)
		probed_add(b.data);
	else
		buf_free(&b);
}

void stories_add(const char *where, const struct story *stories, size_t n)
{
	remember(where, stories, n);
	probed.regex = true;
	add_any("", where, stories, n, false);
	add_any("r:", where, stories, n, true);
}

void stories_add_each(const char *where, const struct story *stories, size_t n)
{
	remember(where, stories, n);
	for (size_t i = 0; i < n; i++) {
		if (stories[i].entry)
			probed_add(xasprintf("%s%s", where, stories[i].name));
		if (stories[i].returned)
			probed_add(xasprintf("r:%s%s", where, stories[i].name));
	}
}

static u8 part_of(const struct site *s)
{
	for (u32 i = 0; i < nadded; i++)
		for (size_t k = 0; k < added[i].n; k++) {
			const struct story *story = &added[i].stories[k];

			if (strlen(s->name) > added[i].prefix &&
			    !strcmp(s->name + added[i].prefix, story->name))
				return s->kind == SPEC_RETURN ? story->returned : story->entry;
		}
	return 0;
}

void stories_tell(u8 *part, u32 room)
{
	for (u32 i = 0; i < probed.sites.n; i++) {
		const struct site *s = &probed.sites.at[i];

		if (s->number >= room)
			die("too many functions are to be probed");
		part[s->number] = part_of(s);
	}
}
