/*
 * What the tree means: names become what they stand for, members offsets, and every conversion that
 * C makes without being told becomes a node. Constants are folded on the way.
 */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "expr/internal.h"
#include "util.h"

static struct node *node_like(struct compile *c, enum node_kind kind, const struct node *n,
			      const struct expr_type *type)
{
	struct node *made = node_new(c, kind, n->pos, n->len);

	made->type = type;
	return made;
}

static const char *type_text(struct compile *c, const struct expr_type *t)
{
	struct buf b = {};
	const char *text;

	expr_type_name(c->types, &b, t);
	text = arena_text(&c->arena, b.data, b.len);
	buf_free(&b);
	return text;
}

/* --- Numbers --- */

static u64 normal(u64 v, const struct expr_type *t)
{
	int unused = t->size >= 8 ? 0 : 64 - 8 * t->size;

	if (t->is_bool)
		return v != 0;
	return t->is_signed ? (u64)((s64)(v << unused) >> unused) : v << unused >> unused;
}

static struct node *number(struct compile *c, const struct node *at, u64 v,
			   const struct expr_type *type)
{
	struct node *n = node_like(c, N_NUMBER, at, type);

	n->number = normal(v, type);
	return n;
}

static bool is_number(const struct node *n)
{
	return n->kind == N_NUMBER;
}

static u64 fold(enum node_kind kind, u64 a, u64 b, const struct expr_type *t)
{
	s64 sa = a, sb = b;

	switch (kind) {
	case N_NEGATE: return -a;
	case N_INVERT: return ~a;
	case N_SWAP: return t->size == 2 ? htobe16(a) : t->size == 4 ? htobe32(a) : htobe64(a);
	case N_NOT: return !a;
	case N_MUL: return a * b;
	case N_DIV: return !t->is_signed ? a / b : sb == -1 ? -a : (u64)(sa / sb);
	case N_MOD: return !t->is_signed ? a % b : sb == -1 ? 0 : (u64)(sa % sb);
	case N_ADD: return a + b;
	case N_SUB: return a - b;
	case N_SHL: return a << b;
	case N_SHR: return t->is_signed ? (u64)(sa >> b) : a >> b;
	case N_LT: return t->is_signed ? sa < sb : a < b;
	case N_LE: return t->is_signed ? sa <= sb : a <= b;
	case N_GT: return t->is_signed ? sa > sb : a > b;
	case N_GE: return t->is_signed ? sa >= sb : a >= b;
	case N_EQ: return a == b;
	case N_NE: return a != b;
	case N_AND: return a & b;
	case N_XOR: return a ^ b;
	case N_OR: return a | b;
	default: return 0;
	}
}

/* An operation on two scalars of one type; its own type is `type`. */
struct node *operation(struct compile *c, enum node_kind kind, const struct node *at,
		       struct node *a, struct node *b, const struct expr_type *type)
{
	struct node *n;

	if (is_number(a) && (!b || is_number(b)))
		return number(c, at, fold(kind, a->number, b ? b->number : 0, a->type), type);
	n = node_like(c, kind, at, type);
	n->a = a;
	n->b = b;
	return n;
}

/* --- Conversions --- */

static const struct expr_type *in_space(struct compile *c, const struct expr_type *pointer,
					enum expr_space space)
{
	if (pointer->kind != T_PTR || pointer->space == space)
		return pointer;
	return type_pointer(c->types, type_to(c->types, pointer), space);
}

static bool same_numbers(const struct expr_type *a, const struct expr_type *b)
{
	return type_integer(a) && type_integer(b) && a->size == b->size &&
	       a->is_signed == b->is_signed && a->is_bool == b->is_bool;
}

struct node *convert(struct compile *c, struct node *n, const struct expr_type *to)
{
	struct node *cast;

	if (is_number(n))
		return number(c, n, n->number, to);
	if (to->is_bool && !n->type->is_bool)
		return operation(c, N_NE, n, n, number(c, n, 0, n->type), to);
	if (n->type == to)
		return n;
	if (same_numbers(n->type, to) && !n->width) {
		n->type = to;
		return n;
	}
	cast = node_like(c, N_CAST, n, to);
	cast->a = n;
	return cast;
}

/* C's integer promotions; a bit field counts by its width. */
static struct node *promote(struct compile *c, struct node *n)
{
	const struct expr_type *t = n->type;
	u64 bits = n->kind == N_MEMORY && n->width ? n->width : t->size * 8;

	if (t->kind == T_PTR)
		return convert(c, n, &type_ulong);
	if (bits < 32)
		return convert(c, n, &type_int);
	if (bits == 32 || t->kind == T_ENUM)
		return convert(
			c, n,
			expr_type_int(c->types, t->size > 4 && bits > 32 ? 8 : 4, t->is_signed));
	return convert(c, n, expr_type_int(c->types, 8, t->is_signed));
}

/* The usual arithmetic conversions. */
static void balance(struct compile *c, struct node **a, struct node **b)
{
	const struct expr_type *ta, *tb, *t;

	*a = promote(c, *a);
	*b = promote(c, *b);
	ta = (*a)->type;
	tb = (*b)->type;
	t = ta->size != tb->size ? ta->size > tb->size ? ta : tb : ta->is_signed ? tb : ta;
	*a = convert(c, *a, t);
	*b = convert(c, *b, t);
}

/* --- Memory --- */

static struct node *memory(struct compile *c, const struct node *at, struct node *address,
			   u64 offset, const struct expr_type *type, enum expr_space space)
{
	struct node *n;

	if (space == EXPR_SPACE_USER && type->kind == T_PTR && type->space == EXPR_SPACE_ANY)
		type = in_space(c, type, EXPR_SPACE_USER); /* a process points to its own */
	n = node_like(c, N_MEMORY, at, type);
	n->a = address;
	n->number = offset;
	n->space = space;
	return n;
}

/* The address of memory, as a pointer to `to`. */
static struct node *address_of(struct compile *c, const struct node *at, struct node *m,
			       const struct expr_type *to)
{
	const struct expr_type *type = type_pointer(c->types, to, m->space);
	struct node *n, *offset;

	if (m->number == 0)
		return convert(c, m->a, type);
	offset = number(c, at, m->number, &type_ulong);
	if (m->a->kind == N_ADD && is_number(m->a->b)) { /* one sum, not two */
		offset = number(c, at, m->number + m->a->b->number, &type_ulong);
		m = m->a;
	}
	n = node_like(c, N_ADD, at, type);
	n->a = m->a;
	n->b = offset;
	return n;
}

static struct node *decay(struct compile *c, struct node *n)
{
	return address_of(c, n, n, n->type->kind == T_ARRAY ? type_to(c->types, n->type) : n->type);
}

static bool literal_inside(const struct node *n)
{
	return n->kind == N_STRING ||
	       (n->kind == N_CHOICE && (literal_inside(n->b) || literal_inside(n->c)));
}

/* As a scalar: an array is the address of its first element. */
struct node *value_of(struct compile *c, struct node *n)
{
	if (n->kind == N_MEMORY && (n->type->kind == T_ARRAY || n->type->kind == T_FUNC))
		return decay(c, n);
	if (literal_inside(n))
		fail(c, n->pos, n->len, "a string can be compared or printed, not calculated with");
	if (type_scalar(n->type))
		return n;
	if (n->type->kind == T_FLOAT)
		fail(c, n->pos, n->len, "BPF cannot calculate with floating-point values");
	if (n->type->kind == T_VOID)
		fail(c, n->pos, n->len, "this has no value: it is void");
	if (type_record(n->type))
		fail(c, n->pos, n->len, "this is a %s, not a number: choose a member of it",
		     type_text(c, n->type));
	fail(c, n->pos, n->len, "this is no number: it is %s", type_text(c, n->type));
}

struct node *check_value(struct compile *c, struct node *n)
{
	return value_of(c, check(c, n));
}

struct node *check_integer(struct compile *c, struct node *n)
{
	n = check_value(c, n);
	if (!type_integer(n->type))
		fail(c, n->pos, n->len, "a number is wanted here, and this is %s",
		     type_text(c, n->type));
	return n;
}

/* --- Names --- */

static bool same_name(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && !memcmp(name, text, len);
}

bool scope_has(const struct expr_scope *scope, const char *name, size_t len)
{
	for (int i = 0; i < scope->nnames; i++)
		if (same_name(scope->names[i].name, name, len))
			return true;
	return (scope->nfields && same_name("args", name, len)) ||
	       (scope->retval && same_name("retval", name, len));
}

static struct node *place(struct compile *c, const struct node *at, const struct expr_name *name)
{
	const struct expr_type *type = name->type;
	struct node *n;

	if (type->kind == T_PTR && type->space == EXPR_SPACE_ANY && !name->place.kernel)
		type = in_space(c, type, c->scope->space);
	if (type->kind == T_ARRAY && name->place.at == EXPR_AT_CONTEXT) {
		n = node_like(c, N_CONTEXT, at,
			      type_pointer(c->types, &type_void, EXPR_SPACE_KERNEL));
		return memory(c, at, n, name->place.offset, type, EXPR_SPACE_KERNEL);
	}
	n = node_like(c, N_PLACE, at, type);
	n->place = &name->place;
	return n;
}

static const struct expr_name *find_name(const struct expr_name *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i].name, name))
			return &names[i];
	return NULL;
}

static void __attribute__((noreturn)) unknown_name(struct compile *c, const struct node *n)
{
	struct guess g = { .wanted = n->text };

	for (int i = 0; i < c->scope->nnames; i++)
		guess_name(&g, c->scope->names[i].name);
	if (c->scope->nfields)
		guess_name(&g, "args");
	if (find_name(c->scope->fields, c->scope->nfields, n->text))
		fail(c, n->pos, n->len, "fields of a tracepoint are written args->%s", n->text);
	if (find_name(c->scope->gone, c->scope->ngone, n->text))
		fail(c, n->pos, n->len, "at the return parameters are gone: use $entry(%s)",
		     n->text);
	guess_name(&g, "retval");
	builtin_names(guess_name, &g);
	fail_guess(c, n->pos, n->len, &g, "nothing here is called '%s'", n->text);
}

static struct node *check_builtin(struct compile *c, struct node *n, const struct builtin *b)
{
	struct node *made;

	if (b->check)
		return b->check(c, n);
	made = node_like(c, N_BUILTIN, n, b->type);
	made->builtin = b;
	return made;
}

static struct node *check_name(struct compile *c, struct node *n)
{
	const struct expr_name *name = find_name(c->scope->names, c->scope->nnames, n->text);
	const struct builtin *b;
	u32 id;
	s64 v;

	if (name)
		return place(c, n, name);
	b = builtin_find(n->text);
	if (b && b->call)
		fail(c, n->pos, n->len, "%s wants its arguments in parentheses", b->name);
	if (b)
		return check_builtin(c, n, b);
	if (c->scope->nfields && !strcmp(n->text, "args"))
		fail(c, n->pos, n->len, "choose a field of args, as args->%s",
		     c->scope->fields[0].name);
	if (btf_enumerator(c->types, n->text, &id, &v)) {
		const struct expr_type *t = v == (s32)v   ? &type_int
					    : v == (u32)v ? &type_uint
							  : &type_long;

		return number(c, n, v, t);
	}
	unknown_name(c, n);
}

static struct node *check_call(struct compile *c, struct node *n)
{
	const struct builtin *b = builtin_find(n->text);
	struct guess g = { .wanted = n->text };

	if (b && b->call)
		return b->check(c, n);
	builtin_names(guess_name, &g);
	fail_guess(c, n->pos, strlen(n->text), &g,
		   b ? "'%s' is no function" : "there is no function '%s'", n->text);
}

/* --- Members --- */

static void __attribute__((noreturn))
no_member(struct compile *c, const struct node *n, const struct expr_type *t)
{
	struct guess g = { .wanted = n->text };

	if (type_complete(c->types, t)->forward)
		fail(c, n->bit, n->width, "nothing is known of %s but its name", type_text(c, t));
	type_members(c->types, t, guess_name, &g);
	if (t->kind == T_STRUCT)
		alias_names(t->name, guess_name, &g);
	fail_guess(c, n->bit, n->width, &g, "%s has no member '%s'", type_text(c, t), n->text);
}

/* By a path "a.b.c". */
static bool member_at(struct compile *c, const struct expr_type *t, const char *path,
		      struct member *m)
{
	u64 bit = 0;

	for (const char *dot; *path; path = *dot ? dot + 1 : dot) {
		dot = strchrnul(path, '.');
		if (!type_record(t) ||
		    !type_member(c->types, t, arena_text(&c->arena, path, dot - path), m))
			return false;
		bit = m->bit += bit;
		t = m->type;
	}
	return true;
}

static bool find_member(struct compile *c, const struct expr_type *t, const char *name,
			struct member *m)
{
	const char *alias;

	if (type_member(c->types, t, name, m))
		return true;
	alias = t->kind == T_STRUCT ? alias_of(t->name, name) : NULL;
	return alias && member_at(c, t, alias, m);
}

/*
 * A bit field is read as C would: a whole of its type, where that is aligned and holds it; else as
 * many bytes as it touches.
 */
static void set_bits(struct compile *c, struct node *n, const struct member *m)
{
	u64 unit = n->type->size * 8, start;

	if (!type_integer(n->type) || m->width > unit || m->bit % 8 + m->width > 64)
		fail(c, n->pos, n->len, "that bit field cannot be read");
	start = m->bit / unit * unit;
	if (m->bit + m->width > start + unit)
		start = m->bit / 8 * 8;
	n->width = m->width;
	n->bit = m->bit - start;
	n->number += start / 8;
}

/* A member of a struct that is passed by value, in one register. */
static struct node *member_of_value(struct compile *c, const struct node *n, struct node *of,
				    const struct member *m)
{
	struct node *whole = node_like(c, N_PLACE, of, &type_ulong);

	if (of->type->size > 8 || m->width || !type_scalar(m->type))
		fail(c, n->pos, n->len, "that struct is passed in a way that is not known here");
	whole->place = of->place;
	whole = operation(c, N_SHR, n, whole, number(c, n, m->bit, &type_int), &type_ulong);
	return convert(c, whole, m->type);
}

static struct node *check_field(struct compile *c, const struct node *n)
{
	const struct expr_name *f = find_name(c->scope->fields, c->scope->nfields, n->text);
	struct guess g = { .wanted = n->text };

	if (f)
		return place(c, n, f);
	for (int i = 0; i < c->scope->nfields; i++)
		guess_name(&g, c->scope->fields[i].name);
	fail_guess(c, n->bit, n->width, &g, "the tracepoint has no field '%s'", n->text);
}

static struct node *check_member(struct compile *c, struct node *n)
{
	const struct expr_type *t;
	struct member m;
	struct node *of;

	if (n->arrow && n->a->kind == N_NAME && !strcmp(n->a->text, "args") && c->scope->nfields &&
	    !find_name(c->scope->names, c->scope->nnames, "args"))
		return check_field(c, n);
	of = check(c, n->a);
	if (n->arrow && type_record(of->type))
		fail(c, n->pos, n->len, "this is no pointer: use '.', not '->'");
	of = n->arrow ? value_of(c, of) : of;
	t = of->type;
	if (n->arrow && t->kind == T_PTR)
		t = type_to(c->types, t);
	else if (n->arrow && type_integer(t))
		fail(c, of->pos, of->len,
		     "this is a number, not a pointer: cast it, as ((struct NAME *)%.*s)->%s",
		     of->kind == N_PLACE && n->a->text ? (int)n->a->text_len : 1,
		     of->kind == N_PLACE && n->a->text ? n->a->text : "x", n->text);
	if (!n->arrow && t->kind == T_PTR && type_record(type_to(c->types, t)))
		fail(c, n->pos, n->len, "this is a pointer: use '->', not '.'");
	if (!type_record(t))
		fail(c, of->pos, of->len, "this is %s%s, which has no members",
		     n->arrow ? "a pointer to " : "", type_text(c, t));
	if (!find_member(c, t, n->text, &m))
		no_member(c, n, t);
	if (!n->arrow && of->kind != N_MEMORY)
		return member_of_value(c, n, of, &m);
	if (n->arrow)
		of = memory(c, n, of, 0, t, of->type->space);
	of = memory(c, n, of->a, of->number, m.type, of->space);
	if (m.width)
		set_bits(c, of, &m);
	else
		of->number += m.bit / 8;
	return of;
}

/* --- Pointers --- */

static u64 element_size(struct compile *c, const struct node *at, const struct expr_type *pointer)
{
	const struct expr_type *to = type_complete(c->types, type_to(c->types, pointer));

	if (to->kind == T_VOID || to->kind == T_FUNC)
		return 1; /* as gcc */
	if (!to->size)
		fail(c, at->pos, at->len, "the size of %s is not known", type_text(c, to));
	return to->size;
}

/* pointer + index * size, or - */
static struct node *move(struct compile *c, enum node_kind kind, const struct node *at,
			 struct node *pointer, struct node *index)
{
	u64 size = element_size(c, pointer, pointer->type);
	struct node *n;

	index = convert(c, promote(c, index),
			index->type->is_signed || index->type->size < 4 ? &type_long : &type_ulong);
	index = operation(c, N_MUL, at, index, number(c, at, size, index->type), index->type);
	n = operation(c, kind, at, convert(c, pointer, &type_ulong), convert(c, index, &type_ulong),
		      &type_ulong);
	return convert(c, n, pointer->type);
}

static struct node *check_deref(struct compile *c, const struct node *at, struct node *pointer)
{
	const struct expr_type *to;

	if (pointer->type->kind != T_PTR)
		fail(c, pointer->pos, pointer->len, "this is %s, not a pointer",
		     type_text(c, pointer->type));
	to = type_to(c->types, pointer->type);
	if (to->kind == T_VOID)
		fail(c, at->pos, at->len, "this is a void pointer: cast it to what it points to");
	return memory(c, at, pointer, 0, to, pointer->type->space);
}

static struct node *check_index(struct compile *c, struct node *n)
{
	struct node *a = check(c, n->a), *index = check_integer(c, n->b), *m;

	if (a->kind == N_MEMORY && a->type->kind == T_ARRAY && is_number(index)) {
		const struct expr_type *to = type_to(c->types, a->type);

		return memory(c, n, a->a, a->number + index->number * to->size, to, a->space);
	}
	a = value_of(c, a);
	if (a->type->kind != T_PTR)
		fail(c, a->pos, a->len, "this is %s: only arrays and pointers have elements",
		     type_text(c, a->type));
	if (!is_number(index))
		return check_deref(c, n, move(c, N_ADD, n, a, index));
	m = check_deref(c, n, a);
	m->number = index->number * element_size(c, a, a->type);
	return m;
}

static struct node *check_address(struct compile *c, struct node *n)
{
	struct node *m = check(c, n->a);

	if (m->kind != N_MEMORY)
		fail(c, n->pos, n->len, "this has no address: it is in no memory");
	if (m->width)
		fail(c, n->pos, n->len, "a bit field has no address");
	return address_of(c, n, m, m->type);
}

/* A number that is called an address is one in the memory that the probe is about. */
static struct node *check_cast(struct compile *c, struct node *n)
{
	const struct expr_type *to = n->type;
	struct node *a = check_value(c, n->a);

	if (!type_scalar(to))
		fail(c, n->pos, n->len, "nothing can be cast to %s", type_text(c, to));
	if (to->kind == T_PTR && to->space == EXPR_SPACE_ANY)
		to = in_space(c, to, a->type->kind == T_PTR ? a->type->space : c->scope->space);
	a = convert(c, a, to);
	a->pos = n->pos;
	a->len = n->len;
	return a;
}

static struct node *check_space(struct compile *c, struct node *n)
{
	struct node *a = check(c, n->a);

	if (a->kind == N_MEMORY && a->type->kind == T_ARRAY)
		return memory(c, n, a->a, a->number, a->type, n->space);
	a = value_of(c, a);
	if (a->type->kind != T_PTR && a->type->size == 8) /* the address of who knows what */
		return convert(c, a, type_pointer(c->types, &type_void, n->space));
	if (a->type->kind != T_PTR)
		fail(c, n->pos, n->len, "this is no pointer, but %s", type_text(c, a->type));
	return convert(c, a, in_space(c, a->type, n->space));
}

/* --- Strings --- */

bool is_string(struct compile *c, const struct node *n)
{
	return expr_type_text(c->types, n->type) || literal_inside(n);
}

bool may_be_string(struct compile *c, const struct node *n)
{
	const struct expr_type *to;

	if (is_string(c, n))
		return true;
	if (n->type->kind != T_PTR && n->type->kind != T_ARRAY)
		return type_integer(n->type) && n->type->size == 8;
	to = type_to(c->types, n->type);
	return to->kind == T_VOID || (type_integer(to) && to->size == 1);
}

struct node *check_streq(struct compile *c, struct node *string, struct node *literal, bool binary)
{
	struct node *n = node_like(c, N_STREQ, string, &type_int);

	if (string->kind == N_STRING)
		return number(c, string,
			      string->text_len == literal->text_len &&
				      !memcmp(string->text, literal->text, literal->text_len),
			      &type_int);
	if (literal->text_len > 200)
		fail(c, literal->pos, literal->len, "at most 200 bytes can be compared");
	if (literal_inside(string) || !may_be_string(c, string))
		fail(c, string->pos, string->len, "this is no string, but %s",
		     type_text(c, string->type));
	if (type_integer(string->type))
		string = convert(c, string, type_pointer(c->types, &type_void, c->scope->space));
	n->a = string;
	n->text = literal->text;
	n->text_len = literal->text_len;
	n->number = binary;
	return n;
}

/* --- Operators --- */

static struct node *check_difference(struct compile *c, const struct node *n, struct node *a,
				     struct node *b)
{
	u64 size = element_size(c, a, a->type), other = element_size(c, b, b->type);
	struct node *bytes;

	if (size != other)
		fail(c, n->pos, n->len, "these pointers point to different things");
	bytes = operation(c, N_SUB, n, convert(c, a, &type_long), convert(c, b, &type_long),
			  &type_long);
	return operation(c, N_DIV, n, bytes, number(c, n, size, &type_long), &type_long);
}

static struct node *check_sum(struct compile *c, struct node *n)
{
	struct node *a = check_value(c, n->a), *b = check_value(c, n->b);

	if (a->type->kind == T_PTR && b->type->kind == T_PTR) {
		if (n->kind == N_ADD)
			fail(c, n->pos, n->len, "two pointers cannot be added");
		return check_difference(c, n, a, b);
	}
	if (a->type->kind == T_PTR)
		return move(c, n->kind, n, a, b);
	if (b->type->kind == T_PTR && n->kind == N_ADD)
		return move(c, n->kind, n, b, a);
	if (b->type->kind == T_PTR)
		fail(c, n->pos, n->len, "a pointer cannot be subtracted from a number");
	balance(c, &a, &b);
	return operation(c, n->kind, n, a, b, a->type);
}

static struct node *check_arithmetic(struct compile *c, struct node *n)
{
	struct node *a = check_integer(c, n->a), *b = check_integer(c, n->b);

	balance(c, &a, &b);
	if ((n->kind == N_DIV || n->kind == N_MOD) && is_number(b) && !b->number)
		fail(c, n->b->pos, n->b->len, "division by zero");
	return operation(c, n->kind, n, a, b, a->type);
}

static struct node *check_shift(struct compile *c, struct node *n)
{
	struct node *a = promote(c, check_integer(c, n->a));
	struct node *b = promote(c, check_integer(c, n->b));

	if (is_number(b) && b->number >= a->type->size * 8)
		fail(c, n->b->pos, n->b->len, "a number of %d bits cannot be shifted by %lld",
		     (int)a->type->size * 8, (s64)b->number);
	return operation(c, n->kind, n, a, convert(c, b, a->type), a->type);
}

static struct node *check_comparison(struct compile *c, struct node *n)
{
	struct node *a = check(c, n->a), *b = check(c, n->b), *same;
	bool equal = n->kind == N_EQ || n->kind == N_NE;

	if (equal && (a->kind == N_STRING || b->kind == N_STRING)) {
		same = b->kind == N_STRING ? check_streq(c, a, b, false)
					   : check_streq(c, b, a, false);
		same->pos = n->pos;
		same->len = n->len;
		return n->kind == N_EQ ? same : operation(c, N_NOT, n, same, NULL, &type_int);
	}
	a = value_of(c, a);
	b = value_of(c, b);
	if (a->type->kind == T_PTR || b->type->kind == T_PTR) {
		a = convert(c, a, &type_ulong);
		b = convert(c, b, &type_ulong);
	}
	balance(c, &a, &b);
	return operation(c, n->kind, n, a, b, &type_int);
}

static struct node *check_logic(struct compile *c, struct node *n)
{
	struct node *a = check_value(c, n->a), *b = check_value(c, n->b);
	bool or = n->kind == N_LOR;

	if (is_number(a) && !a->number != or)
		return number(c, n, or, &type_int);
	if (is_number(a) && is_number(b))
		return number(c, n, b->number != 0, &type_int);
	n = node_like(c, n->kind, n, &type_int);
	n->a = a;
	n->b = b;
	return n;
}

static struct node *check_choice(struct compile *c, struct node *n)
{
	struct node *test = check_value(c, n->a), *yes = check(c, n->b), *no = check(c, n->c);
	struct node *choice = node_like(c, N_CHOICE, n, NULL);

	if (literal_inside(yes) || literal_inside(no)) {
		if (!is_string(c, yes) || !is_string(c, no))
			fail(c, n->pos, n->len, "one of these is a string, the other is not");
		choice->type = type_pointer(c->types, &type_char, EXPR_SPACE_ANY);
	} else {
		yes = value_of(c, yes);
		no = value_of(c, no);
		if (yes->type->kind == T_PTR || no->type->kind == T_PTR) {
			const struct expr_type *t = yes->type->kind == T_PTR ? yes->type : no->type;

			if (yes->type->kind == T_PTR && no->type->kind == T_PTR &&
			    yes->type->space != no->type->space)
				t = in_space(c, t, EXPR_SPACE_ANY);
			yes = convert(c, yes, t);
			no = convert(c, no, t);
		} else {
			balance(c, &yes, &no);
		}
		choice->type = yes->type;
		if (is_number(test))
			return test->number ? yes : no;
	}
	choice->a = test;
	choice->b = yes;
	choice->c = no;
	return choice;
}

static struct node *check_sizeof(struct compile *c, struct node *n)
{
	struct node *a = check(c, n->a);
	const struct expr_type *t = type_complete(c->types, a->type);

	if (a->kind == N_STRING)
		return number(c, n, a->text_len + 1, &type_ulong);
	if (a->kind == N_MEMORY && a->width)
		fail(c, n->pos, n->len, "a bit field has no size in bytes");
	if (!t->size)
		fail(c, n->pos, n->len, "the size of that is not known");
	return number(c, n, t->size, &type_ulong);
}

struct node *check(struct compile *c, struct node *n)
{
	struct node *a;

	switch (n->kind) {
	case N_NAME: return check_name(c, n);
	case N_CALL: return check_call(c, n);
	case N_MEMBER: return check_member(c, n);
	case N_INDEX: return check_index(c, n);
	case N_DEREF: return check_deref(c, n, check_value(c, n->a));
	case N_ADDRESS: return check_address(c, n);
	case N_SIZEOF: return check_sizeof(c, n);
	case N_SPACE: return check_space(c, n);
	case N_CAST: return check_cast(c, n);
	case N_PLUS: return promote(c, check_integer(c, n->a));
	case N_NEGATE:
	case N_INVERT:
		a = promote(c, check_integer(c, n->a));
		return operation(c, n->kind, n, a, NULL, a->type);
	case N_NOT: return operation(c, N_NOT, n, check_value(c, n->a), NULL, &type_int);
	case N_ADD:
	case N_SUB: return check_sum(c, n);
	case N_MUL:
	case N_DIV:
	case N_MOD:
	case N_AND:
	case N_XOR:
	case N_OR: return check_arithmetic(c, n);
	case N_SHL:
	case N_SHR: return check_shift(c, n);
	case N_LT:
	case N_LE:
	case N_GT:
	case N_GE:
	case N_EQ:
	case N_NE: return check_comparison(c, n);
	case N_LAND:
	case N_LOR: return check_logic(c, n);
	case N_CHOICE: return check_choice(c, n);
	default: return n;
	}
}
