/* What a probe gives: where parameters are by the calling conventions, and what they are called. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/internal.h"
#include "operand.h"
#include "util.h"

/*
 * struct pt_regs: arch/x86/include/asm/ptrace.h, arch/arm64/include/uapi/asm/ptrace.h; arguments by
 * the System V ABI for x86-64 and AAPCS64.
 */
static const struct expr_arch archs[] = {
	{
		.name = "x86_64",
		.args = { 112, 104, 96, 88, 72, 64 }, /* di si dx cx r8 r9 */
		.nargs = 6,
		.ret = 80,
		.sp = 152,
		.ip = 128,
		.stack_args = 8, /* above the return address */
		.kernel_bit = 63,
	},
	{
		.name = "arm64",
		.args = { 0, 8, 16, 24, 32, 40, 48, 56 },
		.nargs = 8,
		.ret = 0,
		.sp = 31 * 8,
		.ip = 32 * 8,
		.link = 30 * 8,
		.kernel_bit = 55, /* above it a user's address may carry a tag */
	},
};

const struct expr_arch *expr_arch(const char *name)
{
#ifdef __aarch64__
	const char *here = "arm64";
#else
	const char *here = "x86_64";
#endif

	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		if (!strcmp(archs[i].name, name ?: here))
			return &archs[i];
	return NULL;
}

/* How many words a parameter takes; 0: it is not passed in registers. */
static u32 words(const struct expr_type *t)
{
	if (t->kind == T_FLOAT || (t->kind == T_OTHER && !t->size) || t->size > 16)
		return 0;
	return t->size > 8 ? 2 : 1;
}

static struct expr_place word_at(u32 offset)
{
	return (struct expr_place){ .at = EXPR_AT_CONTEXT, .offset = offset, .size = 8 };
}

/* On the stack, at the function's entry; whose stack it is, the probe's space says. */
static struct expr_place on_stack(const struct expr_arch *arch, u32 i)
{
	return (struct expr_place){ .at = EXPR_AT_MEMORY,
				    .offset = arch->sp,
				    .size = 8,
				    .disp = arch->stack_args + 8 * i };
}

bool expr_place_args(const struct expr_arch *arch, struct expr_name *names, int n)
{
	u32 reg = 0, stack = 0;

	arch = arch ?: expr_arch(NULL);
	for (int i = 0; i < n; i++) {
		u32 need = words(names[i].type);

		if (!need)
			return false;
		if (reg + need <= arch->nargs) {
			names[i].place = word_at(arch->args[reg]);
			reg += need;
		} else {
			names[i].place = on_stack(arch, stack);
			stack += need;
		}
	}
	return true;
}

bool expr_place_words(struct expr_name *names, int n)
{
	u32 at = 0;

	for (int i = 0; i < n; i++) {
		u32 need = words(names[i].type);

		if (!need)
			return false;
		names[i].place = word_at(at * 8);
		names[i].place.typed = true;
		at += need;
	}
	return true;
}

struct expr_place expr_place_ret(const struct expr_arch *arch)
{
	return word_at((arch ?: expr_arch(NULL))->ret);
}

void expr_operand(struct expr_types *types, const struct operand *o, struct expr_name *name)
{
	name->type = expr_type_int(types, o->size, o->is_signed);
	name->place = (struct expr_place){
		.at = o->kind == OPERAND_CONSTANT   ? EXPR_AT_CONSTANT
		      : o->kind == OPERAND_REGISTER ? EXPR_AT_CONTEXT
						    : EXPR_AT_MEMORY,
		.offset = o->base < 0 ? EXPR_NOWHERE : (u32)o->base,
		.size = o->size,
		.is_signed = o->is_signed,
		.shift = o->shift,
		.index = o->index,
		.scale = o->scale,
		.index_size = o->index_as == INDEX_64 ? 8 : 4,
		.index_signed = o->index_as == INDEX_S32,
		.disp = o->value,
	};
}

int expr_args(struct expr_types *types, const struct expr_arch *arch, struct expr_name *names)
{
	static const char *const called[EXPR_ARGS] = { "arg1", "arg2", "arg3",
						       "arg4", "arg5", "arg6" };

	for (int i = 0; i < EXPR_ARGS; i++)
		names[i] = (struct expr_name){ .name = called[i],
					       .type = expr_type_int(types, 8, false) };
	expr_place_args(arch, names, EXPR_ARGS);
	return EXPR_ARGS;
}

/* --- From BTF --- */

static int parameters(struct expr_types *types, const struct btf_type *proto, u32 skip,
		      struct expr_name *names, int max)
{
	const struct btf_param *params = (const void *)(proto + 1);
	u32 n = BTF_INFO_VLEN(proto->info);
	int found = 0;

	if (n && !params[n - 1].type) /* "...": by the ABI, what is passed for it follows */
		n--;
	for (u32 i = skip; i < n && found < max; i++)
		names[found++] = (struct expr_name){
			.name = btf_string(types, params[i].name_off),
			.type = type_by_id(types, params[i].type),
		};
	return found;
}

static const struct btf_type *proto_of(struct expr_types *types, const char *function)
{
	const struct btf_type *func = btf_type(types, btf_find(types, function, KIND(FUNC)));
	const struct btf_type *proto = func ? btf_type(types, func->type) : NULL;

	return proto && BTF_INFO_KIND(proto->info) == BTF_KIND_FUNC_PROTO ? proto : NULL;
}

int expr_function(struct expr_types *types, const char *name, struct expr_name *names, int max,
		  const struct expr_type **ret)
{
	const struct btf_type *proto = proto_of(types, name);

	if (!proto)
		return -ENOENT;
	if (ret)
		*ret = proto->type ? type_by_id(types, proto->type) : NULL;
	return parameters(types, proto, 0, names, max);
}

/* The function that calls the probes of a tracepoint; its first parameter is theirs. */
int expr_tracepoint_btf(struct expr_types *types, const char *name, struct expr_name *names,
			int max)
{
	static const char *const prefixes[] = { "__probestub_", "__bpf_trace_", "__traceiter_" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		char function[256];
		const struct btf_type *proto;

		snprintf(function, sizeof(function), "%s%s", prefixes[i], name);
		proto = proto_of(types, function);
		if (proto)
			return parameters(types, proto, 1, names, max);
	}
	return -ENOENT;
}

/* --- From text --- */

int expr_signature(struct expr_types *types, struct expr_source source, struct expr_name *names,
		   int max, struct expr_error *err)
{
	struct compile c;
	volatile int n = -1;

	if (compiling(&c, NULL, types, err)) {
		token_start(&c, source);
		n = parse_signature(&c, names, max);
	}
	arena_free(&c.arena);
	return n;
}

const struct expr_type *expr_type_parse(struct expr_types *types, struct expr_source source,
					struct expr_error *err)
{
	const struct expr_type *volatile type = NULL;
	struct compile c;

	if (compiling(&c, NULL, types, err)) {
		token_start(&c, source);
		type = parse_type(&c);
		if (!type)
			fail(&c, c.token.pos, c.token.len, "there is no such type");
		if (c.token.kind != TOKEN_END) {
			type = NULL;
			fail(&c, c.token.pos, c.token.len, "a type was expected, and no more");
		}
	}
	arena_free(&c.arena);
	return type;
}

/* --- The format of a tracepoint: Documentation/trace/events.rst --- */

struct field {
	const char *declaration; /* "const char * name", "char comm[16]" */
	u32 len, offset, size;
	bool is_signed;
};

static bool number_after(const char *line, const char *end, const char *key, u32 *v)
{
	const char *at = memmem(line, end - line, key, strlen(key));

	if (!at)
		return false;
	*v = strtoul(at + strlen(key), NULL, 10);
	return true;
}

static bool read_field(const char *line, const char *end, struct field *f)
{
	const char *at = memmem(line, end - line, "field:", 6), *stop;
	u32 is_signed;

	if (!at)
		return false;
	at += 6;
	stop = memchr(at, ';', end - at);
	if (!stop || !number_after(stop, end, "offset:", &f->offset) ||
	    !number_after(stop, end, "size:", &f->size) ||
	    !number_after(stop, end, "signed:", &is_signed))
		return false;
	f->declaration = at;
	f->len = stop - at;
	f->is_signed = is_signed;
	return true;
}

/* The last name of a declaration, before its brackets. */
static const char *field_name(struct expr_types *types, const struct field *f)
{
	const char *start = f->declaration, *end = start + f->len, *bracket, *at;

	bracket = memrchr(start, '[', f->len);
	if (bracket && bracket > start && end[-1] == ']' && bracket[-1] != ' ')
		end = bracket;
	for (at = end; at > start && at[-1] != ' ' && at[-1] != '*';)
		at--;
	return arena_text(&types->arena, at, end - at);
}

/* By its declaration where that is a type we know and of that size, else a number of that size. */
static const struct expr_type *field_type(struct expr_types *types, const struct field *f,
					  const char *name)
{
	struct expr_name parsed = {};
	struct expr_error err;
	struct expr_source source = { f->declaration, 0, f->len };
	const char *bracket = memchr(f->declaration, '[', f->len);
	const struct expr_type *t, *element;
	u32 len = f->len;

	if (bracket)
		len = bracket - f->declaration;
	if (len > strlen(name) && bracket)
		len -= strlen(name);
	if (bracket) {
		source.end = len;
		t = expr_type_parse(types, source, &err);
		element = t && t->size && f->size % t->size == 0
				  ? t
				  : expr_type_int(types, 1, f->is_signed);
		return type_array(types, element, f->size / element->size);
	}
	if (expr_signature(types, source, &parsed, 1, &err) == 1 && parsed.type->size == f->size)
		return parsed.type;
	if (f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8)
		return expr_type_int(types, f->size, f->is_signed);
	return type_array(types, expr_type_int(types, 1, false), f->size);
}

/* "__data_loc char[] name": the word there says where in the record it is. */
static bool data_loc(struct expr_types *types, struct field *f, struct expr_name *name)
{
	static const char mark[] = "__data_loc ";
	const char *bracket;
	const struct expr_type *t;
	struct expr_error err;

	if (f->len < sizeof(mark) || memcmp(f->declaration, mark, sizeof(mark) - 1))
		return false;
	f->declaration += sizeof(mark) - 1;
	f->len -= sizeof(mark) - 1;
	bracket = memchr(f->declaration, '[', f->len) ?: f->declaration + f->len;
	t = expr_type_parse(
		types, (struct expr_source){ f->declaration, 0, bracket - f->declaration }, &err);
	name->type = type_pointer(types, t ?: &type_char, EXPR_SPACE_KERNEL);
	name->place = (struct expr_place){ .at = EXPR_AT_DATA_LOC, .offset = f->offset, .size = 4 };
	return true;
}

static void field(struct expr_types *types, struct field *f, struct expr_name *name)
{
	*name = (struct expr_name){ .name = field_name(types, f) };
	if (data_loc(types, f, name))
		return;
	name->type = field_type(types, f, name->name);
	name->place = (struct expr_place){ .at = EXPR_AT_CONTEXT,
					   .offset = f->offset,
					   .size = f->size,
					   .is_signed = f->is_signed };
}

int expr_tracepoint(struct expr_types *types, const char *format, struct expr_name *names, int max)
{
	struct field f;
	int n = 0;

	for (const char *line = format, *end; *line && n < max; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		/* The first eight bytes are the trace's, and programs may not read them. */
		if (read_field(line, end, &f) && f.offset >= 8 && f.offset < 8192)
			field(types, &f, &names[n++]);
	}
	return n ?: -EINVAL;
}
