/*
 * Macros of headers, without a preprocessor: those without parameters, by name. Conditions are not
 * looked at, the first definition counts, and what cannot be read is passed over. Whether a macro
 * means something shows when it is used.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/internal.h"
#include "util.h"

#define HEADER_MAX (4u << 20)
#define FILES_MAX  256 /* headers, with those that they include */
#define MACROS_MAX 100000
#define BODY_MAX   1024

static const char *const folders[] = { "/usr/include",
#ifdef __aarch64__
				       "/usr/include/aarch64-linux-gnu"
#else
				       "/usr/include/x86_64-linux-gnu"
#endif
};

struct macro {
	const char *name, *body;
	struct macro *next; /* of the same hash */
};

struct expr_macros {
	struct arena arena;
	struct macro *hash[4096];
	int n;
	char *files[FILES_MAX]; /* that were read */
	int nfiles;
};

struct expr_macros *expr_macros_new(void)
{
	return xcalloc(1, sizeof(struct expr_macros));
}

void expr_macros_free(struct expr_macros *m)
{
	if (!m)
		return;
	for (int i = 0; i < m->nfiles; i++)
		free(m->files[i]);
	arena_free(&m->arena);
	free(m);
}

static u32 hash_of(const char *name, size_t len)
{
	u32 h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (u8)name[i]) * 16777619u;
	return h % 4096;
}

const char *macro_find(const struct expr_macros *macros, const char *name, size_t len)
{
	for (struct macro *m = macros->hash[hash_of(name, len)]; m; m = m->next)
		if (strlen(m->name) == len && !memcmp(m->name, name, len))
			return m->body;
	return NULL;
}

static void add(struct expr_macros *macros, const char *name, size_t len, const char *body,
		size_t body_len)
{
	u32 h = hash_of(name, len);
	struct macro *m;

	if (!body_len || body_len > BODY_MAX || macros->n == MACROS_MAX ||
	    macro_find(macros, name, len))
		return;
	m = arena_new(&macros->arena, sizeof(*m));
	m->name = arena_text(&macros->arena, name, len);
	m->body = arena_text(&macros->arena, body, body_len);
	m->next = macros->hash[h];
	macros->hash[h] = m;
	macros->n++;
}

/* Comments and spliced lines become blanks, in place; the length is what it was. */
static void blank_comments(char *s, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		size_t end = i;

		if (s[i] == '"' || s[i] == '\'') {
			for (end++; end < len && s[end] != s[i] && s[end] != '\n'; end++)
				end += s[end] == '\\' && end + 1 < len;
			i = end;
		} else if (s[i] == '\\' && s[i + 1] == '\n') {
			s[i] = s[i + 1] = ' ';
		} else if (s[i] == '/' && s[i + 1] == '/') {
			while (i < len && s[i] != '\n')
				s[i++] = ' ';
		} else if (s[i] == '/' && s[i + 1] == '*') {
			for (end += 2; end + 1 < len && (s[end] != '*' || s[end + 1] != '/');)
				end++;
			for (; i < len && i < end + 2; i++)
				s[i] = ' ';
			i--;
		}
	}
}

static const char *skip(const char *at, const char *end)
{
	while (at < end && *at != '\n' && isspace((u8)*at))
		at++;
	return at;
}

static const char *word(const char *at, const char *end)
{
	while (at < end && (isalnum((u8)*at) || *at == '_'))
		at++;
	return at;
}

static void include(struct expr_macros *macros, const char *at, const char *end)
{
	const char *close = at < end ? memchr(at + 1, *at == '<' ? '>' : '"', end - at - 1) : NULL;
	char name[256];

	if (!close || (*at != '<' && *at != '"') || close - at > (long)sizeof(name) - 1)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(close - at - 1), at + 1);
	expr_macros_read(macros, name);
}

/* A line from after its '#' to its end. */
static void directive(struct expr_macros *macros, const char *at, const char *end)
{
	const char *name, *after;

	name = skip(at, end);
	after = word(name, end);
	if (after - name == 7 && !memcmp(name, "include", 7)) {
		include(macros, skip(after, end), end);
		return;
	}
	if (after - name != 6 || memcmp(name, "define", 6))
		return;
	name = skip(after, end);
	after = word(name, end);
	if (after == name || (after < end && *after == '('))
		return;
	at = skip(after, end);
	while (end > at && isspace((u8)end[-1]))
		end--;
	add(macros, name, after - name, at, end - at);
}

void expr_macros_text(struct expr_macros *macros, const char *text, size_t len)
{
	char *copy = memcpy(xcalloc(1, len + 1), text, len), *end;

	blank_comments(copy, len);
	for (char *line = copy; line < copy + len; line = end + 1) {
		const char *at;

		end = memchr(line, '\n', copy + len - line) ?: copy + len;
		at = skip(line, end);
		if (at < end && *at == '#')
			directive(macros, at + 1, end);
	}
	free(copy);
}

static bool was_read(const struct expr_macros *m, const char *file)
{
	for (int i = 0; i < m->nfiles; i++)
		if (!strcmp(m->files[i], file))
			return true;
	return false;
}

int expr_macros_read(struct expr_macros *macros, const char *header)
{
	char file[512];
	size_t len;
	char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && !text; i++) {
		snprintf(file, sizeof(file), "%s/%s", *header == '/' ? "" : folders[i], header);
		if (was_read(macros, file))
			return 0;
		if (macros->nfiles == FILES_MAX)
			return -E2BIG;
		text = read_file(file, HEADER_MAX, &len);
	}
	if (!text)
		return -errno;
	macros->files[macros->nfiles++] = xasprintf("%s", file);
	expr_macros_text(macros, text, len);
	free(text);
	return 0;
}
