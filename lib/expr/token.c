/* Text to tokens. Macros are expanded here, as in C: their text is read in place of their name. */
#include <ctype.h>
#include <string.h>

#include "expr/internal.h"
#include "util.h"

static bool name_start(char c)
{
	return isalpha((u8)c) || c == '_' || c == '$';
}

static bool name_char(char c)
{
	return isalnum((u8)c) || c == '_';
}

void token_start(struct compile *c, struct expr_source source)
{
	c->nreading = 1;
	c->base = source.start;
	c->reading[0].start = c->reading[0].at = source.text + source.start;
	c->reading[0].end = source.text + source.end;
	if (source.end - source.start > EXPR_SOURCE_MAX)
		fail(c, source.start, 1, "the expression is too long");
	token_next(c);
}

/* In the source: where `at` is, or the name of the macro that is being expanded. */
static void place(const struct compile *c, const char *at, const char *end, u32 *pos, u32 *len)
{
	if (c->nreading == 1) {
		*pos = c->base + (at - c->reading[0].start);
		*len = end - at;
	} else {
		*pos = c->macro_pos;
		*len = c->macro_len;
	}
}

static void __attribute__((noreturn))
bad(struct compile *c, const char *at, const char *end, const char *why)
{
	u32 pos, len;

	place(c, at, end, &pos, &len);
	fail(c, pos, len, "%s", why);
}

static int digit(char ch)
{
	return isdigit((u8)ch) ? ch - '0' : isxdigit((u8)ch) ? tolower(ch) - 'a' + 10 : 99;
}

/* C's rules: the first type that holds it, of int, unsigned (not for decimal), long, unsigned. */
static const struct expr_type *number_type(u64 v, bool decimal, bool is_unsigned, bool is_long)
{
	if (!is_long && !is_unsigned && v <= 0x7fffffff)
		return &type_int;
	if (!is_long && (is_unsigned || !decimal) && v <= 0xffffffff)
		return &type_uint;
	if (!is_unsigned && v >> 63 == 0)
		return &type_long;
	return &type_ulong;
}

static const char *read_number(struct compile *c, const char *at, const char *end)
{
	bool decimal = *at != '0', is_unsigned = false, is_long = false;
	const char *start = at;
	int base = 10;
	u64 v = 0;

	if (!decimal) {
		base = 8;
		if (end - at > 2 && (at[1] | 32) == 'x' && digit(at[2]) < 16)
			base = 16, at += 2;
		else if (end - at > 2 && (at[1] | 32) == 'b' && digit(at[2]) < 2)
			base = 2, at += 2;
	}
	for (; at < end && digit(*at) < base; at++) {
		if (__builtin_mul_overflow(v, (u64)base, &v) ||
		    __builtin_add_overflow(v, (u64)digit(*at), &v))
			bad(c, start, at + 1, "the number does not fit 64 bits");
	}
	for (; at < end && name_char(*at); at++) {
		if ((*at | 32) == 'u' && !is_unsigned)
			is_unsigned = true;
		else if ((*at | 32) == 'l')
			is_long = true;
		else
			bad(c, start, at + 1, "this is not a number");
	}
	if (at < end && *at == '.')
		bad(c, start, at + 1, "there are no floating-point numbers in BPF");
	c->token.kind = TOKEN_NUMBER;
	c->token.number = v;
	c->token.type = number_type(v, decimal, is_unsigned, is_long);
	return at;
}

/* One character of a literal, escapes resolved. */
static const char *read_char(struct compile *c, const char *at, const char *end, u8 *ch)
{
	static const char letters[] = "abefnrtv0\\'\"?", values[] = "\a\b\033\f\n\r\t\v\0\\'\"?";
	const char *start = at, *letter;
	u32 v = 0;

	if (*at != '\\') {
		*ch = *at;
		return at + 1;
	}
	if (++at == end)
		bad(c, start, end, "the literal does not end");
	if (*at == 'x') {
		for (at++; at < end && digit(*at) < 16; at++)
			v = (v & 0xff) << 4 | digit(*at);
		*ch = v;
		return at;
	}
	if (digit(*at) < 8) {
		for (int i = 0; i < 3 && at < end && digit(*at) < 8; i++, at++)
			v = v << 3 | digit(*at);
		*ch = v;
		return at;
	}
	letter = memchr(letters, *at, sizeof(letters) - 1);
	if (!letter)
		bad(c, start, at + 1, "there is no such escape sequence");
	*ch = values[letter - letters];
	return at + 1;
}

static const char *read_literal(struct compile *c, const char *at, const char *end)
{
	const char *start = at++;
	u8 *text = arena_new(&c->arena, end - at + 1);
	u32 len = 0;

	while (at < end && *at != *start && *at != '\n')
		at = read_char(c, at, end, &text[len++]);
	if (at == end || *at != *start)
		bad(c, start, start + 1, "the literal does not end");
	if (*start == '"') {
		c->token.kind = TOKEN_STRING;
		c->token.text = (char *)text;
		c->token.text_len = len;
		return at + 1;
	}
	if (len != 1)
		bad(c, start, at + 1, "this is not one character");
	c->token.kind = TOKEN_NUMBER;
	c->token.number = (u64)(signed char)text[0];
	c->token.type = &type_int;
	return at + 1;
}

static const char *read_punct(struct compile *c, const char *at, const char *end)
{
	static const u32 twos[] = { OP2('-', '>'), OP2('<', '<'), OP2('>', '>'),
				    OP2('<', '='), OP2('>', '='), OP2('=', '='),
				    OP2('!', '='), OP2('&', '&'), OP2('|', '|') };

	c->token.kind = TOKEN_PUNCT;
	c->token.op = OP1(*at);
	for (size_t i = 0; end - at > 1 && i < ARRAY_SIZE(twos); i++)
		if (twos[i] == OP2(at[0], at[1])) {
			c->token.op = twos[i];
			return at + 2;
		}
	if (!strchr("()[]{}.,?:+-*/%&|^!~<>=@", *at))
		bad(c, at, at + 1, "this is no C");
	return at + 1;
}

static bool being_expanded(const struct compile *c, const char *body)
{
	for (int i = 1; i < c->nreading; i++)
		if (c->reading[i].macro == body)
			return true;
	return false;
}

/* Turns to the text of a macro, if the name is one and is not the probe's own. */
static bool expand(struct compile *c, const char *at, const char *end)
{
	const char *body;

	if (!c->scope || !c->scope->macros || scope_has(c->scope, at, end - at))
		return false;
	body = macro_find(c->scope->macros, at, end - at);
	if (!body || being_expanded(c, body))
		return false;
	if (c->nreading == MACRO_DEPTH || ++c->nodes > NODES_MAX)
		bad(c, at, end, "the macro goes too deep");
	if (c->nreading == 1)
		place(c, at, end, &c->macro_pos, &c->macro_len);
	c->reading[c->nreading++] = (struct reading){ body, body, body + strlen(body), body };
	return true;
}

void token_next(struct compile *c)
{
	for (;;) {
		struct reading *r = &c->reading[c->nreading - 1];
		const char *start;

		while (r->at < r->end && isspace((u8)*r->at))
			r->at++;
		start = r->at;
		c->token = (struct token){ .text = start };
		if (r->at == r->end && c->nreading > 1) {
			c->nreading--;
			continue;
		}
		if (r->at == r->end)
			break;
		if (name_start(*r->at)) {
			for (r->at++; r->at < r->end && name_char(*r->at);)
				r->at++;
			c->token.kind = TOKEN_NAME;
			c->token.text_len = r->at - start;
			if (expand(c, start, r->at))
				continue;
		} else if (isdigit((u8)*r->at)) {
			r->at = read_number(c, r->at, r->end);
		} else if (*r->at == '"' || *r->at == '\'') {
			r->at = read_literal(c, r->at, r->end);
		} else {
			r->at = read_punct(c, r->at, r->end);
		}
		place(c, start, r->at, &c->token.pos, &c->token.len);
		return;
	}
	place(c, c->reading[0].end, c->reading[0].end, &c->token.pos, &c->token.len);
}

bool token_is(const struct compile *c, u32 op)
{
	return c->token.kind == TOKEN_PUNCT && c->token.op == op;
}

bool token_name_is(const struct compile *c, const char *name)
{
	return c->token.kind == TOKEN_NAME && c->token.text_len == strlen(name) &&
	       !memcmp(c->token.text, name, c->token.text_len);
}
