/*
 * Tokens to a tree, by recursive descent. The rule of the grammar stands over the function that
 * parses it. A name is a type if C, or BTF, has a type of that name and the probe has no value.
 */
#include <string.h>

#include "expr/internal.h"
#include "util.h"

struct node *node_new(struct compile *c, enum node_kind kind, u32 pos, u32 len)
{
	struct node *n;

	if (++c->nodes > NODES_MAX)
		fail(c, pos, len, "the expression is too long");
	n = arena_new(&c->arena, sizeof(*n));
	n->kind = kind;
	n->pos = pos;
	n->len = len;
	return n;
}

/* A node that stands for all from `first` to the token before this one. */
static struct node *node_from(struct compile *c, enum node_kind kind, const struct node *first,
			      struct node *a, struct node *b)
{
	const struct node *last = b ?: a;
	struct node *n = node_new(c, kind, first->pos, last->pos + last->len - first->pos);

	n->a = a;
	n->b = b;
	return n;
}

static void __attribute__((noreturn)) unexpected(struct compile *c, const char *wanted)
{
	if (c->token.kind == TOKEN_END)
		fail(c, c->token.pos, 1, "%s is missing here", wanted);
	fail(c, c->token.pos, c->token.len, "%s was expected here", wanted);
}

static void expect(struct compile *c, u32 op, const char *wanted)
{
	if (!token_is(c, op))
		unexpected(c, wanted);
	token_next(c);
}

static bool accept(struct compile *c, u32 op)
{
	if (!token_is(c, op))
		return false;
	token_next(c);
	return true;
}

static void deeper(struct compile *c)
{
	if (++c->depth > DEPTH_MAX)
		fail(c, c->token.pos, c->token.len, "the expression is nested too deeply");
}

static const char *token_text(struct compile *c)
{
	return arena_text(&c->arena, c->token.text, c->token.text_len);
}

/* --- Types --- */

static bool qualifier(struct compile *c, enum expr_space *space)
{
	static const char *const words[] = { "const",  "volatile", "restrict",
					     "extern", "register", "__restrict" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (token_name_is(c, words[i])) {
			token_next(c);
			return true;
		}
	if (token_name_is(c, "__user")) {
		*space = EXPR_SPACE_USER;
		token_next(c);
		return true;
	}
	return false;
}

/* ("struct" | "union" | "enum") tag */
static const struct expr_type *tagged_type(struct compile *c)
{
	enum type_kind kind = token_name_is(c, "struct")  ? T_STRUCT
			      : token_name_is(c, "union") ? T_UNION
							  : T_ENUM;
	static const char *const words[] = {
		[T_STRUCT] = "struct", [T_UNION] = "union", [T_ENUM] = "enum"
	};
	u32 kinds = kind == T_STRUCT  ? KIND(STRUCT)
		    : kind == T_UNION ? KIND(UNION)
				      : KIND(ENUM) | KIND(ENUM64);
	const struct expr_type *t;
	struct guess guess = {};

	token_next(c);
	if (c->token.kind != TOKEN_NAME)
		unexpected(c, "the name of a type");
	guess.wanted = token_text(c);
	t = type_tagged(c->types, kind, guess.wanted);
	if (!t) {
		btf_names(c->types, kinds, guess_name, &guess);
		if (!c->types->nparts)
			fail(c, c->token.pos, c->token.len,
			     "nothing is known of %s %s: there is no BTF here", words[kind],
			     guess.wanted);
		fail_guess(c, c->token.pos, c->token.len, &guess, "there is no %s %s", words[kind],
			   guess.wanted);
	}
	token_next(c);
	return t;
}

/* ("unsigned" | "signed" | "short" | "long" | "int" | "char" | "double")+ */
static const struct expr_type *arithmetic_type(struct compile *c)
{
	static const char *const words[] = { "unsigned", "signed", "short", "long",
					     "int",      "char",   "double" };
	int count[ARRAY_SIZE(words)] = {};
	bool any = false, found;

	do {
		found = false;
		for (size_t i = 0; i < ARRAY_SIZE(words) && !found; i++)
			if (token_name_is(c, words[i])) {
				count[i]++;
				token_next(c);
				found = any = true;
			}
	} while (found);
	if (!any)
		return NULL;
	if (count[6])
		return type_named(c->types, "double");
	if (count[5])
		return count[0] || count[1] ? expr_type_int(c->types, 1, !count[0]) : &type_char;
	return expr_type_int(c->types, count[2] ? 2 : count[3] ? 8 : 4, !count[0]);
}

/* type-name = arithmetic | tagged | typedef-name, with qualifiers before and after; then "*"s */
const struct expr_type *parse_type(struct compile *c)
{
	enum expr_space space = EXPR_SPACE_ANY;
	const struct expr_type *t = NULL;
	bool any = false;

	while (qualifier(c, &space))
		any = true;
	if (c->token.kind == TOKEN_NAME) {
		if (token_name_is(c, "struct") || token_name_is(c, "union") ||
		    token_name_is(c, "enum"))
			t = tagged_type(c);
		else
			t = arithmetic_type(c);
	}
	if (!t && c->token.kind == TOKEN_NAME && *c->token.text != '$' &&
	    !(c->scope && scope_has(c->scope, c->token.text, c->token.text_len))) {
		t = type_named(c->types, token_text(c));
		if (t)
			token_next(c);
	}
	if (!t) {
		if (any)
			unexpected(c, "a type");
		return NULL;
	}
	for (;;) {
		if (accept(c, '*')) {
			t = type_pointer(c->types, t, space);
			space = EXPR_SPACE_ANY;
		} else if (!qualifier(c, &space)) {
			return t;
		}
	}
}

static void skip_parentheses(struct compile *c)
{
	int open = 0;

	do {
		open += token_is(c, '(') - token_is(c, ')');
		if (c->token.kind == TOKEN_END)
			unexpected(c, "')'");
		token_next(c);
	} while (open > 0);
}

/* "[" number? "]", after a parameter's or field's name: to a function it is a pointer */
static const struct expr_type *array_type(struct compile *c, const struct expr_type *t, bool field)
{
	u64 count = 0;

	while (accept(c, '[')) {
		if (c->token.kind == TOKEN_NUMBER) {
			count = c->token.number;
			token_next(c);
		} else {
			while (!token_is(c, ']') && c->token.kind != TOKEN_END)
				token_next(c); /* a macro's name, as formats have them */
		}
		expect(c, ']', "']'");
		t = field ? type_array(c->types, t, count)
			  : type_pointer(c->types, t, EXPR_SPACE_ANY);
	}
	return t;
}

/* parameter = type-name ( name array? | "(" "*" name ")" "(" ... ")" )? */
static void parameter(struct compile *c, struct expr_name *name)
{
	u32 pos = c->token.pos, len = c->token.len;

	name->type = parse_type(c);
	name->name = "";
	if (!name->type) {
		struct guess g = { .wanted = c->token.kind == TOKEN_NAME ? token_text(c) : "" };

		if (c->token.kind != TOKEN_NAME)
			unexpected(c, "a type");
		type_names(guess_name, &g);
		btf_names(c->types, KIND(TYPEDEF), guess_name, &g);
		fail_guess(c, pos, len, &g, "there is no type '%s'", g.wanted);
	}
	if (token_is(c, '(')) { /* a function's address */
		name->type = type_pointer(c->types, &type_void, EXPR_SPACE_ANY);
		for (token_next(c); token_is(c, '*');)
			token_next(c);
		if (c->token.kind == TOKEN_NAME) {
			name->name = arena_text(&c->types->arena, c->token.text, c->token.text_len);
			token_next(c);
		}
		expect(c, ')', "')'");
		skip_parentheses(c);
		return;
	}
	if (c->token.kind == TOKEN_NAME) {
		name->name = arena_text(&c->types->arena, c->token.text, c->token.text_len);
		token_next(c);
	}
	name->type = array_type(c, name->type, false);
	if (name->type->kind == T_VOID)
		fail(c, pos, len, "a parameter cannot be void");
}

/* signature = "(" ( "void" | parameter ("," parameter)* ("," "...")? )? ")", or so without both */
int parse_signature(struct compile *c, struct expr_name *names, int max)
{
	bool open = accept(c, '(');
	int n = 0;

	while (c->token.kind != TOKEN_END && !token_is(c, ')')) {
		if (token_name_is(c, "void") && !n) {
			struct reading *r = &c->reading[c->nreading - 1];
			const char *at = r->at;

			while (at < r->end && *at == ' ')
				at++;
			if (at == r->end || *at == ')') {
				token_next(c);
				break;
			}
		}
		if (n == max)
			fail(c, c->token.pos, c->token.len, "these are too many parameters");
		if (token_is(c, '.')) {
			while (accept(c, '.'))
				;
			break;
		}
		names[n] = (struct expr_name){};
		parameter(c, &names[n++]);
		if (!accept(c, ','))
			break;
	}
	if (open)
		expect(c, ')', "')'");
	if (c->token.kind != TOKEN_END)
		unexpected(c, "',' or the end");
	return n;
}

/* --- Expressions --- */

static struct node *conditional(struct compile *c);
static struct node *unary(struct compile *c);

/* string = literal+ */
static struct node *string(struct compile *c)
{
	struct node *n = node_new(c, N_STRING, c->token.pos, c->token.len);

	n->type = type_pointer(c->types, &type_char, EXPR_SPACE_ANY);
	n->text = c->token.text;
	n->text_len = c->token.text_len;
	for (token_next(c); c->token.kind == TOKEN_STRING; token_next(c)) {
		char *text = arena_new(&c->arena, n->text_len + c->token.text_len + 1);

		memcpy(text, n->text, n->text_len);
		memcpy(text + n->text_len, c->token.text, c->token.text_len);
		n->text = text;
		n->text_len += c->token.text_len;
		n->len = c->token.pos + c->token.len - n->pos;
	}
	return n;
}

/* call = name "(" ( conditional ("," conditional)* )? ")" */
static struct node *arguments(struct compile *c, struct node *n)
{
	struct node **last = &n->a;

	n->kind = N_CALL;
	token_next(c);
	while (!token_is(c, ')')) {
		*last = conditional(c);
		last = &(*last)->next;
		if (!accept(c, ','))
			break;
	}
	n->len = c->token.pos + c->token.len - n->pos;
	expect(c, ')', "')'");
	return n;
}

/* primary = number | string | name | call | "(" conditional ")", the last of them in unary() */
static struct node *primary(struct compile *c)
{
	struct node *n;

	switch (c->token.kind) {
	case TOKEN_NUMBER:
		n = node_new(c, N_NUMBER, c->token.pos, c->token.len);
		n->number = c->token.number;
		n->type = c->token.type;
		token_next(c);
		return n;
	case TOKEN_STRING: return string(c);
	case TOKEN_NAME:
		n = node_new(c, N_NAME, c->token.pos, c->token.len);
		n->text = token_text(c);
		n->text_len = c->token.text_len;
		token_next(c);
		return token_is(c, '(') ? arguments(c, n) : n;
	default: unexpected(c, "a value");
	}
}

static struct node *member(struct compile *c, struct node *of, bool arrow)
{
	struct node *n;

	if (c->token.kind != TOKEN_NAME)
		unexpected(c, "the name of a member");
	n = node_new(c, N_MEMBER, of->pos, c->token.pos + c->token.len - of->pos);
	n->a = of;
	n->arrow = arrow;
	n->text = token_text(c);
	n->text_len = c->token.text_len;
	n->bit = c->token.pos; /* the name's own place, for errors */
	n->width = c->token.len;
	token_next(c);
	return n;
}

static struct node *space(struct compile *c, struct node *of)
{
	struct node *n = node_new(c, N_SPACE, of->pos, c->token.pos + c->token.len - of->pos);

	n->a = of;
	if (token_name_is(c, "user"))
		n->space = EXPR_SPACE_USER;
	else if (token_name_is(c, "kernel"))
		n->space = EXPR_SPACE_KERNEL;
	else
		unexpected(c, "'user' or 'kernel'");
	token_next(c);
	return n;
}

/* postfix = primary ( "[" conditional "]" | ("." | "->") name | "@" ("user" | "kernel") )* */
static struct node *suffixes(struct compile *c, struct node *n)
{
	int depth = c->depth;

	for (;; deeper(c)) {
		if (accept(c, '[')) {
			n = node_from(c, N_INDEX, n, n, conditional(c));
			n->len = c->token.pos + c->token.len - n->pos;
			expect(c, ']', "']'");
		} else if (accept(c, '.')) {
			n = member(c, n, false);
		} else if (accept(c, OP2('-', '>'))) {
			n = member(c, n, true);
		} else if (accept(c, '@')) {
			n = space(c, n);
		} else {
			c->depth = depth;
			return n;
		}
	}
}

/* After "(": a type and ")", or something else. */
static const struct expr_type *type_in_parentheses(struct compile *c)
{
	const struct expr_type *t;

	if (c->token.kind != TOKEN_NAME || !(t = parse_type(c)))
		return NULL;
	expect(c, ')', "')' after the type");
	return t;
}

static struct node *size_of(struct compile *c, struct node *n, const struct expr_type *t)
{
	t = type_complete(c->types, t);
	if (!t->size)
		fail(c, n->pos, n->len, "the size of that is not known");
	n->kind = N_NUMBER;
	n->type = &type_ulong;
	n->number = t->size;
	return n;
}

/* unary = ("+" | "-" | "!" | "~" | "*" | "&") unary | "sizeof" (unary | "(" type-name ")")
 *       | "(" type-name ")" unary | postfix */
static struct node *unary_operator(struct compile *c)
{
	static const struct {
		u32 op;
		enum node_kind kind;
	} ops[] = { { '+', N_PLUS },   { '-', N_NEGATE }, { '!', N_NOT },
		    { '~', N_INVERT }, { '*', N_DEREF },  { '&', N_ADDRESS } };
	struct node *n = node_new(c, N_SIZEOF, c->token.pos, c->token.len);
	const struct expr_type *t;

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (accept(c, ops[i].op))
			return node_from(c, ops[i].kind, n, unary(c), NULL);
	if (token_name_is(c, "sizeof")) {
		token_next(c);
		if (!token_is(c, '('))
			return node_from(c, N_SIZEOF, n, unary(c), NULL);
		token_next(c);
		t = type_in_parentheses(c);
		if (t)
			return size_of(c, n, t);
		n->a = conditional(c);
		n->len = c->token.pos + c->token.len - n->pos;
		expect(c, ')', "')'");
		return n;
	}
	return NULL;
}

static struct node *unary(struct compile *c)
{
	u32 pos = c->token.pos;
	const struct expr_type *t;
	struct node *n;

	deeper(c);
	n = unary_operator(c);
	if (!n && accept(c, '(')) {
		t = type_in_parentheses(c);
		if (t) {
			n = node_new(c, N_CAST, pos, 1);
			n->type = t;
			n->a = unary(c);
			n->len = n->a->pos + n->a->len - pos;
		} else {
			n = conditional(c);
			expect(c, ')', "')'");
			n = suffixes(c, n);
		}
	} else if (!n) {
		n = suffixes(c, primary(c));
	}
	c->depth--;
	return n;
}

/* binary = unary (operator unary)*, operators by C's precedence, all of them left to right */
static struct node *binary(struct compile *c, int lowest)
{
	static const struct {
		u32 op;
		int precedence;
		enum node_kind kind;
	} ops[] = {
		{ OP2('|', '|'), 1, N_LOR },
		{ OP2('&', '&'), 2, N_LAND },
		{ '|', 3, N_OR },
		{ '^', 4, N_XOR },
		{ '&', 5, N_AND },
		{ OP2('=', '='), 6, N_EQ },
		{ OP2('!', '='), 6, N_NE },
		{ '<', 7, N_LT },
		{ OP2('<', '='), 7, N_LE },
		{ '>', 7, N_GT },
		{ OP2('>', '='), 7, N_GE },
		{ OP2('<', '<'), 8, N_SHL },
		{ OP2('>', '>'), 8, N_SHR },
		{ '+', 9, N_ADD },
		{ '-', 9, N_SUB },
		{ '*', 10, N_MUL },
		{ '/', 10, N_DIV },
		{ '%', 10, N_MOD },
	};
	struct node *n = unary(c);
	int depth = c->depth;

	for (;; deeper(c)) {
		size_t i = 0;

		while (i < ARRAY_SIZE(ops) &&
		       !(ops[i].precedence >= lowest && token_is(c, ops[i].op)))
			i++;
		if (i == ARRAY_SIZE(ops))
			break;
		token_next(c);
		n = node_from(c, ops[i].kind, n, n, binary(c, ops[i].precedence + 1));
	}
	c->depth = depth;
	return n;
}

/* conditional = binary ( "?" conditional ":" conditional )? */
static struct node *conditional(struct compile *c)
{
	struct node *n, *test;

	deeper(c);
	n = binary(c, 1);
	if (accept(c, '?')) {
		test = n;
		n = node_new(c, N_CHOICE, test->pos, 1);
		n->a = test;
		n->b = conditional(c);
		expect(c, ':', "':'");
		n->c = conditional(c);
		n->len = n->c->pos + n->c->len - n->pos;
	}
	c->depth--;
	return n;
}

struct node *parse(struct compile *c)
{
	struct node *n = conditional(c);

	if (token_is(c, '='))
		fail(c, c->token.pos, c->token.len, "nothing can be assigned here; '==' compares");
	if (c->token.kind != TOKEN_END)
		unexpected(c, "an operator, or the end,");
	return n;
}
