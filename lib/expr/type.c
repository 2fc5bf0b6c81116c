/* Types are made when they are asked for: of the kernel's hundred thousand, a handful. */
#include <string.h>

#include "expr/internal.h"
#include "util.h"

#define MEMBERS_MAX 20000 /* looked at for one name: structs in structs multiply */
#define SIZE_LIMIT  (1ull << 40)

const struct expr_type type_void = { .kind = T_VOID, .name = "void" };
const struct expr_type type_bool = { .kind = T_INT, .is_bool = true, .size = 1, .name = "_Bool" };
const struct expr_type type_char = { .kind = T_INT, .is_signed = true, .size = 1, .name = "char" };
const struct expr_type type_int = { .kind = T_INT, .is_signed = true, .size = 4, .name = "int" };
const struct expr_type type_uint = { .kind = T_INT, .size = 4, .name = "unsigned int" };
const struct expr_type type_long = { .kind = T_INT, .is_signed = true, .size = 8, .name = "long" };
const struct expr_type type_ulong = { .kind = T_INT, .size = 8, .name = "unsigned long" };
static const struct expr_type type_s8 = { T_INT, .is_signed = true, .size = 1,
					  .name = "signed char" };
static const struct expr_type type_u8 = { .kind = T_INT, .size = 1, .name = "unsigned char" };
static const struct expr_type type_s16 = { T_INT, .is_signed = true, .size = 2, .name = "short" };
static const struct expr_type type_u16 = { .kind = T_INT, .size = 2, .name = "unsigned short" };
static const struct expr_type type_float = { .kind = T_FLOAT, .size = 4, .name = "float" };
static const struct expr_type type_double = { .kind = T_FLOAT, .size = 8, .name = "double" };

/* What C, its headers and the kernel call these; on every 64-bit Linux. */
static const struct {
	const char *name;
	const struct expr_type *type;
} base_types[] = {
	{ "void", &type_void },      { "char", &type_char },       { "bool", &type_bool },
	{ "_Bool", &type_bool },     { "float", &type_float },     { "double", &type_double },
	{ "s8", &type_s8 },          { "u8", &type_u8 },           { "s16", &type_s16 },
	{ "u16", &type_u16 },        { "s32", &type_int },         { "u32", &type_uint },
	{ "s64", &type_long },       { "u64", &type_ulong },       { "__s8", &type_s8 },
	{ "__u8", &type_u8 },        { "__s16", &type_s16 },       { "__u16", &type_u16 },
	{ "__s32", &type_int },      { "__u32", &type_uint },      { "__s64", &type_long },
	{ "__u64", &type_ulong },    { "int8_t", &type_s8 },       { "uint8_t", &type_u8 },
	{ "int16_t", &type_s16 },    { "uint16_t", &type_u16 },    { "int32_t", &type_int },
	{ "uint32_t", &type_uint },  { "int64_t", &type_long },    { "uint64_t", &type_ulong },
	{ "__be16", &type_u16 },     { "__be32", &type_uint },     { "__be64", &type_ulong },
	{ "size_t", &type_ulong },   { "ssize_t", &type_long },    { "ptrdiff_t", &type_long },
	{ "intptr_t", &type_long },  { "uintptr_t", &type_ulong }, { "off_t", &type_long },
	{ "loff_t", &type_long },    { "pid_t", &type_int },       { "uid_t", &type_uint },
	{ "gid_t", &type_uint },     { "mode_t", &type_uint },     { "time_t", &type_long },
	{ "uint", &type_uint },      { "ulong", &type_ulong },     { "ushort", &type_u16 },
	{ "socklen_t", &type_uint }, { "in_addr_t", &type_uint },  { "in_port_t", &type_u16 },
};

const struct expr_type *expr_type_int(struct expr_types *types, u32 size, bool is_signed)
{
	(void)types;
	switch (size) {
	case 1: return is_signed ? &type_s8 : &type_u8;
	case 2: return is_signed ? &type_s16 : &type_u16;
	case 4: return is_signed ? &type_int : &type_uint;
	default: return is_signed ? &type_long : &type_ulong;
	}
}

static bool int_size(u64 size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static struct expr_type *new_type(struct expr_types *types, enum type_kind kind, u64 size)
{
	struct expr_type *t = arena_new(&types->arena, sizeof(*t));

	t->kind = kind;
	t->size = size;
	t->name = "";
	return t;
}

const struct expr_type *type_pointer(struct expr_types *types, const struct expr_type *to,
				     enum expr_space space)
{
	struct expr_type *t = new_type(types, T_PTR, 8);

	t->to = to;
	t->space = space;
	return t;
}

const struct expr_type *type_array(struct expr_types *types, const struct expr_type *to, u64 count)
{
	struct expr_type *t = new_type(types, T_ARRAY, 0);

	t->to = to;
	t->count = count;
	t->size = to->size && count < SIZE_LIMIT / to->size ? to->size * count : 0;
	return t;
}

static const struct expr_type *by_id(struct expr_types *types, u32 id, int depth);

static const struct expr_type *array_of_btf(struct expr_types *types, const struct btf_type *b,
					    int depth)
{
	const struct btf_array *a = (const void *)(b + 1);

	return type_array(types, by_id(types, a->type, depth + 1), a->nelems);
}

static const struct expr_type *int_of_btf(struct expr_types *types, const struct btf_type *b)
{
	u32 encoding = BTF_INT_ENCODING(*(const u32 *)(b + 1));
	struct expr_type *t = new_type(types, int_size(b->size) ? T_INT : T_OTHER, b->size);

	t->is_signed = encoding & BTF_INT_SIGNED;
	t->is_bool = encoding & BTF_INT_BOOL && b->size == 1;
	t->name = btf_string(types, b->name_off);
	return t;
}

/* Before Linux 6.0 BTF does not say whether an enum is signed: as in C, a negative value tells. */
static bool enum_signed(const struct btf_type *b)
{
	const struct btf_enum *e = (const void *)(b + 1);

	if (BTF_INFO_KFLAG(b->info))
		return true;
	for (u32 i = 0; BTF_INFO_KIND(b->info) == BTF_KIND_ENUM && i < BTF_INFO_VLEN(b->info); i++)
		if (e[i].val < 0)
			return true;
	return false;
}

static const struct expr_type *tagged(struct expr_types *types, enum type_kind kind, u32 id,
				      const struct btf_type *b)
{
	bool forward = BTF_INFO_KIND(b->info) == BTF_KIND_FWD;
	struct expr_type *t = new_type(types, kind, forward ? 0 : b->size);

	t->id = id;
	t->forward = forward;
	t->name = btf_string(types, b->name_off);
	if (kind == T_ENUM) {
		t->is_signed = enum_signed(b);
		if (!int_size(t->size))
			t->kind = T_OTHER;
	}
	return t;
}

/* The address space of what a pointer points to, by the tags before it. */
static enum expr_space space_by_tags(struct expr_types *types, u32 id)
{
	for (int i = 0; i < DEPTH_MAX; i++) {
		const struct btf_type *b = btf_type(types, id);

		if (!b)
			break;
		switch (BTF_INFO_KIND(b->info)) {
		case BTF_KIND_TYPE_TAG:
			if (!strcmp(btf_string(types, b->name_off), "user"))
				return EXPR_SPACE_USER;
			break;
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT: break;
		default: return EXPR_SPACE_ANY;
		}
		id = b->type;
	}
	return EXPR_SPACE_ANY;
}

static const struct expr_type *make(struct expr_types *types, u32 id, const struct btf_type *b,
				    int depth)
{
	struct expr_type *t;

	switch (BTF_INFO_KIND(b->info)) {
	case BTF_KIND_INT: return int_of_btf(types, b);
	case BTF_KIND_PTR:
		t = new_type(types, T_PTR, 8);
		t->to_id = b->type;
		t->space = space_by_tags(types, b->type);
		return t;
	case BTF_KIND_ARRAY: return array_of_btf(types, b, depth);
	case BTF_KIND_STRUCT: return tagged(types, T_STRUCT, id, b);
	case BTF_KIND_UNION: return tagged(types, T_UNION, id, b);
	case BTF_KIND_FWD:
		return tagged(types, BTF_INFO_KFLAG(b->info) ? T_UNION : T_STRUCT, id, b);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: return tagged(types, T_ENUM, id, b);
	case BTF_KIND_FUNC_PROTO: return new_type(types, T_FUNC, 0);
	case BTF_KIND_FLOAT:
		t = new_type(types, T_FLOAT, b->size);
		t->name = btf_string(types, b->name_off);
		return t;
	default: return new_type(types, T_OTHER, 0);
	}
}

/* A struct without a tag goes by its typedef. */
static const struct expr_type *give_name(struct expr_types *types, const struct expr_type *t,
					 const char *name)
{
	struct expr_type *copy;

	if (*t->name || !(type_record(t) || t->kind == T_ENUM))
		return t;
	copy = new_type(types, t->kind, t->size);
	*copy = *t;
	copy->name = name;
	copy->by_typedef = true;
	return copy;
}

static const struct expr_type *by_id(struct expr_types *types, u32 id, int depth)
{
	const struct btf_type *b = btf_type(types, id);
	const struct expr_type *t;

	if (!id || !b)
		return &type_void;
	if (types->made[id])
		return types->made[id];
	if (depth > DEPTH_MAX)
		return new_type(types, T_OTHER, 0);
	switch (BTF_INFO_KIND(b->info)) {
	case BTF_KIND_TYPEDEF:
		t = give_name(types, by_id(types, b->type, depth + 1),
			      btf_string(types, b->name_off));
		break;
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG: t = by_id(types, b->type, depth + 1); break;
	default: t = make(types, id, b, depth);
	}
	return types->made[id] = t;
}

const struct expr_type *type_by_id(struct expr_types *types, u32 id)
{
	return by_id(types, id, 0);
}

const struct expr_type *type_to(struct expr_types *types, const struct expr_type *t)
{
	return t->to ?: type_by_id(types, t->to_id);
}

void type_names(void (*each)(void *ctx, const char *name), void *ctx)
{
	for (size_t i = 0; i < ARRAY_SIZE(base_types); i++)
		each(ctx, base_types[i].name);
}

const struct expr_type *type_named(struct expr_types *types, const char *name)
{
	u32 id;

	for (size_t i = 0; i < ARRAY_SIZE(base_types); i++)
		if (!strcmp(base_types[i].name, name))
			return base_types[i].type;
	id = btf_find(types, name, KIND(TYPEDEF));
	return id ? type_by_id(types, id) : NULL;
}

const struct expr_type *type_tagged(struct expr_types *types, enum type_kind kind, const char *tag)
{
	u32 kinds = kind == T_STRUCT  ? KIND(STRUCT)
		    : kind == T_UNION ? KIND(UNION)
				      : KIND(ENUM) | KIND(ENUM64);
	u32 id = btf_find(types, tag, kinds);

	return id ? type_by_id(types, id) : NULL;
}

const struct expr_type *type_complete(struct expr_types *types, const struct expr_type *t)
{
	return t->forward ? type_tagged(types, t->kind, t->name) ?: t : t;
}

bool type_integer(const struct expr_type *t)
{
	return t->kind == T_INT || t->kind == T_ENUM;
}

bool type_scalar(const struct expr_type *t)
{
	return type_integer(t) || t->kind == T_PTR;
}

bool type_record(const struct expr_type *t)
{
	return t->kind == T_STRUCT || t->kind == T_UNION;
}

bool type_is_char(const struct expr_type *t)
{
	return t->kind == T_INT && t->size == 1 && !strcmp(t->name, "char");
}

/* Before kind_flag, a bit field's width was in the encoding of an INT type made for it. */
static void old_bit_field(struct expr_types *types, u32 id, struct member *m)
{
	for (int i = 0; i < DEPTH_MAX; i++) {
		const struct btf_type *b = btf_type(types, id);
		u32 kind = b ? BTF_INFO_KIND(b->info) : BTF_KIND_UNKN, data;

		if (kind == BTF_KIND_INT) {
			data = *(const u32 *)(b + 1);
			if (BTF_INT_BITS(data) < b->size * 8 || BTF_INT_OFFSET(data)) {
				m->width = BTF_INT_BITS(data);
				m->bit += BTF_INT_OFFSET(data);
			}
			return;
		}
		if (kind != BTF_KIND_TYPEDEF && kind != BTF_KIND_CONST &&
		    kind != BTF_KIND_VOLATILE && kind != BTF_KIND_TYPE_TAG)
			return;
		id = b->type;
	}
}

struct search {
	struct expr_types *types;
	const char *name; /* NULL: all of them, to each() */
	void (*each)(void *ctx, const char *name);
	void *ctx;
	int left;
};

static bool in_record(struct search *s, u32 id, u64 bit, int depth, struct member *m);

static bool is_member(struct search *s, const struct btf_type *b, const struct btf_member *bm,
		      u64 bit, int depth, struct member *m)
{
	const char *name = btf_string(s->types, bm->name_off);
	bool flag = BTF_INFO_KFLAG(b->info);
	const struct expr_type *type;

	bit += flag ? BTF_MEMBER_BIT_OFFSET(bm->offset) : bm->offset;
	if (!*name) {
		type = type_by_id(s->types, bm->type);
		return type_record(type) && in_record(s, type->id, bit, depth + 1, m);
	}
	if (!s->name)
		s->each(s->ctx, name);
	if (!s->name || strcmp(name, s->name))
		return false;
	m->type = type_by_id(s->types, bm->type);
	m->bit = bit;
	m->width = flag ? BTF_MEMBER_BITFIELD_SIZE(bm->offset) : 0;
	if (!flag)
		old_bit_field(s->types, bm->type, m);
	return true;
}

static bool in_record(struct search *s, u32 id, u64 bit, int depth, struct member *m)
{
	const struct btf_type *b = btf_type(s->types, id);
	const struct btf_member *members = (const void *)(b + 1);
	u32 kind = b ? BTF_INFO_KIND(b->info) : BTF_KIND_UNKN;

	if ((kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION) || depth > DEPTH_MAX)
		return false;
	for (u32 i = 0; i < BTF_INFO_VLEN(b->info) && s->left-- > 0; i++)
		if (is_member(s, b, &members[i], bit, depth, m))
			return true;
	return false;
}

bool type_member(struct expr_types *types, const struct expr_type *t, const char *name,
		 struct member *m)
{
	struct search s = { .types = types, .name = name, .left = MEMBERS_MAX };

	return in_record(&s, type_complete(types, t)->id, 0, 0, m);
}

void type_members(struct expr_types *types, const struct expr_type *t,
		  void (*each)(void *ctx, const char *name), void *ctx)
{
	struct search s = { .types = types, .each = each, .ctx = ctx, .left = MEMBERS_MAX };
	struct member m;

	in_record(&s, type_complete(types, t)->id, 0, 0, &m);
}

u64 expr_type_size(const struct expr_type *type)
{
	return type->size;
}

bool expr_type_signed(const struct expr_type *type)
{
	return type->is_signed;
}

bool expr_type_pointer(const struct expr_type *type)
{
	return type->kind == T_PTR;
}

u32 expr_type_id(const struct expr_type *type)
{
	return type->id;
}

bool expr_type_text(struct expr_types *types, const struct expr_type *type)
{
	return (type->kind == T_PTR || type->kind == T_ARRAY) && type_is_char(type_to(types, type));
}

void expr_type_name(struct expr_types *types, struct buf *b, const struct expr_type *t)
{
	int stars = 0;
	u64 count = 0;

	if (t->kind == T_ARRAY) {
		count = t->count;
		t = type_to(types, t);
	}
	for (; t->kind == T_PTR && stars < DEPTH_MAX; stars++)
		t = type_to(types, t);
	if (!t->by_typedef && (type_record(t) || t->kind == T_ENUM))
		buf_str(b, t->kind == T_STRUCT  ? "struct "
			   : t->kind == T_UNION ? "union "
						: "enum ");
	if (t->kind == T_FUNC)
		buf_str(b, "function");
	else if (t->kind == T_ARRAY)
		buf_str(b, "array");
	else
		buf_safe(b, *t->name ? t->name : "(anonymous)",
			 strlen(*t->name ? t->name : "(anonymous)"));
	if (stars)
		buf_fmt(b, " %.*s", stars,
			"****************************************************************");
	if (count)
		buf_fmt(b, "[%llu]", count);
}
