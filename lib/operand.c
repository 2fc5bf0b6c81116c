#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "operand.h"
#include "util.h"

#define MAX_TEXT 256

/* What is left of the text. */
struct cursor {
	const char *p, *end;
	const char *why;
};

static bool fail(struct cursor *c, const char *why)
{
	c->why = why;
	return false;
}

static bool skip(struct cursor *c, char what)
{
	if (c->p == c->end || *c->p != what)
		return false;
	c->p++;
	return true;
}

static void blanks(struct cursor *c)
{
	while (skip(c, ' ') || skip(c, '\t'))
		;
}

/* A number of either sign, decimal or hexadecimal. */
static bool take_number(struct cursor *c, s64 *v)
{
	char digits[32], *end;
	size_t n = 0;

	while (c->p + n < c->end && n < sizeof(digits) - 1 &&
	       (isalnum((u8)c->p[n]) || (!n && (*c->p == '-' || *c->p == '+')))) {
		digits[n] = c->p[n];
		n++;
	}
	digits[n] = '\0';
	errno = 0;
	/* Constants are written signed or not: either fits 64 bits. */
	*v = *digits == '-' ? strtoll(digits, &end, 0) : (s64)strtoull(digits, &end, 0);
	if (!n || *end || errno || end == digits)
		return fail(c, "a number is not one");
	c->p += n;
	return true;
}

static size_t word_length(const struct cursor *c)
{
	size_t n = 0;

	while (c->p + n < c->end && (isalnum((u8)c->p[n]) || strchr("_.$@", c->p[n])))
		n++;
	return n;
}

/* x86-64: two letters, and where struct pt_regs has the register. */
static const struct x86_register {
	char name[4];
	short at;
} x86_registers[] = {
	{ "ax", 80 },  { "bx", 40 },  { "cx", 88 },
	{ "dx", 96 },  { "si", 104 }, { "di", 112 },
	{ "bp", 32 },  { "sp", 152 }, { "ip", OPERAND_X86_IP },
	{ "r8", 72 },  { "r9", 64 },  { "r10", 56 },
	{ "r11", 48 }, { "r12", 24 }, { "r13", 16 },
	{ "r14", 8 },  { "r15", 0 },
};

static short x86_offset(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(x86_registers); i++)
		if (!strcmp(name, x86_registers[i].name))
			return x86_registers[i].at;
	return -1;
}

/* rax eax ax al ah, rsi esi si sil, r8 r8d r8w r8b: all by one name. */
static short x86_register(const char *s, size_t n, u8 *shift)
{
	char name[8] = "";

	*shift = 0;
	if (!n || n >= sizeof(name))
		return -1;
	memcpy(name, s, n);
	if (*name == 'r' && isdigit((u8)name[1])) {
		if (strchr("dwb", name[n - 1]))
			name[n - 1] = '\0';
		return x86_offset(name);
	}
	if (n == 3 && (*name == 'r' || *name == 'e'))
		return x86_offset(name + 1);
	if (n == 3 && name[2] == 'l') { /* sil */
		name[2] = '\0';
		return x86_offset(name);
	}
	if (n == 2 && strchr("abcd", *name) && (name[1] == 'l' || name[1] == 'h')) {
		*shift = name[1] == 'h' ? 8 : 0;
		name[1] = 'x';
	}
	return x86_offset(name);
}

static bool take_x86_register(struct cursor *c, short *at, u8 *shift)
{
	size_t n;

	if (!skip(c, '%'))
		return fail(c, "a register is missing");
	n = word_length(c);
	*at = x86_register(c->p, n, shift);
	if (*at < 0)
		return fail(c,
			    "it is in a register that a probe is not given (a vector or segment)");
	c->p += n;
	if (c->p < c->end && *c->p == ':')
		return fail(c, "it is relative to a segment register (thread-local)");
	return true;
}

/* "8", "NBuffers", "40+CheckpointStats", "CheckpointStats+40", before a parenthesis. */
static bool take_displacement(struct cursor *c, struct operand *o)
{
	s64 v;

	while (c->p < c->end && *c->p != '(') {
		size_t n;

		if (isdigit((u8)*c->p) ||
		    ((*c->p == '-' || *c->p == '+') && c->p + 1 < c->end && isdigit((u8)c->p[1]))) {
			if (!take_number(c, &v))
				return false;
			if (__builtin_add_overflow(o->value, v, &o->value))
				return fail(c, "a number is too large");
			continue;
		}
		skip(c, '+');
		n = word_length(c);
		if (!n || o->symbol || isdigit((u8)*c->p))
			return fail(c, "it is no operand that is known");
		o->symbol = c->p;
		o->symbol_len = n;
		c->p += n;
	}
	return true;
}

/* "(%rbp)", "(%rax,%rcx,8)", "(,%rax,4)" */
static bool take_x86_address(struct cursor *c, struct operand *o)
{
	s64 scale = 1;
	u8 shift;

	if (!skip(c, '('))
		return true;
	if (c->p < c->end && *c->p == '%' && !take_x86_register(c, &o->base, &shift))
		return false;
	if (skip(c, ',')) {
		if (!take_x86_register(c, &o->index, &shift))
			return false;
		if (skip(c, ',') &&
		    (!take_number(c, &scale) || scale < 1 || scale > 8 || (scale & (scale - 1))))
			return fail(c, "its scale is not 1, 2, 4 or 8");
		o->scale = scale;
	}
	if (!skip(c, ')'))
		return fail(c, "a parenthesis is not closed");
	if (o->base == OPERAND_X86_IP && !o->symbol)
		return fail(c, "it is relative to the next instruction, without a name");
	return true;
}

static bool parse_x86(struct cursor *c, struct operand *o)
{
	if (skip(c, '$')) {
		o->kind = OPERAND_CONSTANT;
		return take_number(c, &o->value) || fail(c, "its constant is no number");
	}
	if (c->p < c->end && *c->p == '%') {
		o->kind = OPERAND_REGISTER;
		return take_x86_register(c, &o->base, &o->shift);
	}
	o->kind = OPERAND_MEMORY;
	return take_displacement(c, o) && take_x86_address(c, o);
}

#define ARM64_SP 248

/* x0 to x30, w0 to w30, fp, lr, sp, and the zero register: -2 */
static short arm64_register(const char *s, size_t n, bool *half)
{
	char name[8] = "", *end;
	unsigned long number;

	*half = false;
	if (!n || n >= sizeof(name))
		return -1;
	memcpy(name, s, n);
	*half = *name == 'w';
	if (!strcmp(name, "sp") || !strcmp(name, "wsp"))
		return ARM64_SP;
	if (!strcmp(name, "fp"))
		return 29 * 8;
	if (!strcmp(name, "lr"))
		return 30 * 8;
	if (!strcmp(name, "xzr") || !strcmp(name, "wzr"))
		return -2;
	if ((*name != 'x' && *name != 'w') || !isdigit((u8)name[1]))
		return -1;
	number = strtoul(name + 1, &end, 10);
	return *end || number > 30 ? -1 : (short)number * 8;
}

static bool take_arm64_register(struct cursor *c, short *at, bool *half)
{
	size_t n = word_length(c);

	*at = arm64_register(c->p, n, half);
	if (*at == -1)
		return fail(c, "it is in a register that a probe is not given (a vector)");
	c->p += n;
	return true;
}

/* ", x1", ", x1, lsl 3", ", w1, sxtw 2" within brackets. */
static bool take_arm64_index(struct cursor *c, struct operand *o)
{
	static const char *const extensions[] = { "lsl", "uxtw", "sxtw" };
	s64 shift = 0;
	bool half;
	size_t n;

	if (!take_arm64_register(c, &o->index, &half) || o->index < 0)
		return fail(c, "its index is no register that is known");
	o->scale = 1;
	o->index_as = half ? INDEX_U32 : INDEX_64;
	if (!skip(c, ','))
		return true;
	blanks(c);
	n = word_length(c);
	for (int i = 0; i < 3; i++)
		if (n == strlen(extensions[i]) && !memcmp(c->p, extensions[i], n)) {
			c->p += n;
			o->index_as = i == 0 ? o->index_as : i == 1 ? INDEX_U32 : INDEX_S32;
			blanks(c);
			skip(c, '#');
			if (c->p < c->end && *c->p != ']' && !take_number(c, &shift))
				return false;
			if (shift < 0 || shift > 4)
				return fail(c, "its index is shifted too far");
			o->scale = 1 << shift;
			return true;
		}
	return fail(c, "its index is extended in a way that is not known");
}

static bool take_arm64_address(struct cursor *c, struct operand *o)
{
	bool half;

	o->kind = OPERAND_MEMORY;
	blanks(c);
	if (!take_arm64_register(c, &o->base, &half) || o->base < 0)
		return fail(c, "its base is no register that is known");
	blanks(c);
	if (skip(c, ',')) {
		blanks(c);
		skip(c, '#');
		if (c->p < c->end && (isdigit((u8)*c->p) || *c->p == '-')) {
			if (!take_number(c, &o->value))
				return false;
		} else if (c->p < c->end && *c->p == ':') {
			return fail(c, "it is part of an address that the linker knows");
		} else if (!take_arm64_index(c, o)) {
			return false;
		}
	}
	blanks(c);
	return skip(c, ']') || fail(c, "a bracket is not closed");
}

static bool parse_arm64(struct cursor *c, struct operand *o)
{
	bool half;

	if (skip(c, '['))
		return take_arm64_address(c, o);
	skip(c, '#');
	if (c->p < c->end && (isdigit((u8)*c->p) || *c->p == '-')) {
		o->kind = OPERAND_CONSTANT;
		return take_number(c, &o->value);
	}
	o->kind = OPERAND_REGISTER;
	if (!take_arm64_register(c, &o->base, &half))
		return false;
	if (o->base == -2)
		*o = (struct operand){ OPERAND_CONSTANT, o->size, o->is_signed, .base = -1,
				       .index = -1 };
	return true;
}

/* "-4@": bytes, signed. Without it, it is a register's worth. */
static bool take_size(struct cursor *c, struct operand *o)
{
	const char *at = memchr(c->p, '@', c->end - c->p);
	s64 size;

	o->size = 8;
	if (!at || !(isdigit((u8)*c->p) || *c->p == '-') || memchr(c->p, '(', at - c->p) ||
	    memchr(c->p, '%', at - c->p))
		return true;
	if (at > c->p && at[-1] == 'f')
		return fail(c, "it is a floating point number");
	if (!take_number(c, &size) || c->p != at)
		return fail(c, "its size is no number");
	c->p = at + 1;
	o->is_signed = size < 0;
	size = size < 0 ? -size : size;
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return fail(c, "its size is not 1, 2, 4 or 8 bytes");
	o->size = size;
	return true;
}

bool operand_parse(struct operand *o, u16 machine, const char *text, size_t len, const char **why)
{
	struct cursor c = { text, text + len, "it is no operand that is known" };
	bool known = false;

	*o = (struct operand){ .base = -1, .index = -1 };
	if (!len || len > MAX_TEXT)
		fail(&c, "it is empty or too long");
	else if (machine != EM_X86_64 && machine != EM_AARCH64)
		fail(&c, "operands of this machine are not known");
	else if (take_size(&c, o) && c.p < c.end)
		known = machine == EM_X86_64 ? parse_x86(&c, o) : parse_arm64(&c, o);
	if (known && c.p != c.end)
		known = fail(&c, "something follows what is known");
	*why = c.why;
	return known;
}

static void register_text(struct buf *b, short at, u16 machine)
{
	if (machine == EM_AARCH64) {
		if (at == ARM64_SP)
			buf_str(b, "sp");
		else
			buf_fmt(b, "x%d", at / 8);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(x86_registers); i++)
		if (at == x86_registers[i].at)
			buf_str(b, x86_registers[i].name);
}

void operand_text(struct buf *b, const struct operand *o, u16 machine)
{
	if (o->kind == OPERAND_CONSTANT) {
		buf_s64(b, o->value);
		return;
	}
	if (o->kind == OPERAND_REGISTER) {
		register_text(b, o->base, machine);
		return;
	}
	buf_str(b, "*(");
	if (o->symbol) {
		buf_chr(b, '&');
		buf_safe(b, o->symbol, o->symbol_len);
	} else if (o->base >= 0) {
		register_text(b, o->base, machine);
	} else {
		buf_chr(b, '0');
	}
	buf_str(b, o->value < 0 ? " - " : " + ");
	buf_u64(b, o->value < 0 ? -(u64)o->value : (u64)o->value);
	if (o->scale) {
		buf_str(b, " + ");
		register_text(b, o->index, machine);
		if (o->scale > 1)
			buf_fmt(b, " * %u", o->scale);
	}
	buf_chr(b, ')');
}
