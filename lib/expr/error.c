#include <stdio.h>
#include <string.h>

#include "expr/internal.h"
#include "util.h"

struct expr_source expr_source(const char *text)
{
	return (struct expr_source){ text, 0, strlen(text) };
}

void fail(struct compile *c, u32 pos, u32 len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->err->text, sizeof(c->err->text), fmt, ap);
	va_end(ap);
	c->err->pos = pos;
	c->err->len = len ?: 1;
	longjmp(c->failed, 1);
}

void guess_name(void *guess, const char *name)
{
	struct guess *g = guess;
	int d = edit_distance(g->wanted, name);

	if (*name && strlen(name) < sizeof(g->best) && (!*g->best || d < g->distance)) {
		snprintf(g->best, sizeof(g->best), "%s", name);
		g->distance = d;
	}
}

void fail_guess(struct compile *c, u32 pos, u32 len, const struct guess *g, const char *fmt, ...)
{
	int len_wanted = strlen(g->wanted);
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (*g->best && g->distance <= 1 + len_wanted / 4 && g->distance < len_wanted)
		fail(c, pos, len, "%s; did you mean '%s'?", text, g->best);
	fail(c, pos, len, "%s", text);
}

void expr_caret(struct buf *b, const char *text, const struct expr_error *err)
{
	size_t size = strlen(text), pos = err->pos < size ? err->pos : size;
	size_t start = pos, end = pos, last = pos + err->len, safe;

	while (start && text[start - 1] != '\n')
		start--;
	while (text[end] && text[end] != '\n')
		end++;
	if (last > end)
		last = end;
	buf_safe(b, text + start, end - start);
	buf_chr(b, '\n');
	/* As wide as what stands above: a tab is made safe, a character of two bytes is one wide.
	 */
	safe = b->len;
	buf_safe(b, text + start, pos - start);
	for (size_t i = safe; i < b->len; i++)
		if (((u8)b->data[i] & 0xc0) != 0x80)
			b->data[safe++] = ' ';
	b->len = safe;
	buf_chr(b, '^');
	for (size_t i = pos + 1; i < last; i++)
		if (((u8)text[i] & 0xc0) != 0x80)
			buf_chr(b, '~');
	buf_chr(b, '\n');
}
