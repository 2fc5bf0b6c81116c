/*
 * A tree to instructions. Every value is made in one register; while another is made that needs
 * helpers, it waits in r8 or r9, or on the stack. A read that faults, and a division by zero, leave
 * the statement at once: nothing is in flight then.
 */
#include <string.h>

#include "expr/internal.h"
#include "util.h"

/* --- The stack --- */

int stack_take(struct gen *g, u32 size)
{
	g->stack += (size + 7) / 8 * 8;
	if (g->stack > STACK_SIZE)
		g->full = true;
	return -g->stack;
}

void stack_give(struct gen *g, u32 size)
{
	g->stack -= (size + 7) / 8 * 8;
}

/* Keeps a register over calls of helpers; the last that is kept is the first to come back. */
static int keep(struct gen *g, int reg)
{
	int slot;

	if (g->kept < 2) {
		mov_reg(g->code, KEEP0 + g->kept, reg);
		return KEEP0 + g->kept++;
	}
	slot = stack_take(g, 8);
	store_reg(g->code, 8, FP, slot, reg);
	return slot;
}

static void unkeep(struct gen *g, int where, int reg)
{
	if (where > 0) {
		mov_reg(g->code, reg, where);
		g->kept--;
	} else {
		load_mem(g->code, 8, reg, FP, where);
		stack_give(g, 8);
	}
}

/* --- Memory --- */

/* r3 holds an address: jumps if it is the kernel's. */
static void jump_if_kernel(struct gen *g, int label)
{
	int unused = 63 - g->arch->kernel_bit;

	if (!unused) {
		jump_imm(g->code, BPF_JSLT, true, R3, 0, label);
		return;
	}
	mov_reg(g->code, R4, R3);
	alu_imm(g->code, BPF_LSH, true, R4, unused);
	jump_imm(g->code, BPF_JSLT, true, R4, 0, label);
}

/* Calls one of two helpers with r1 = base + offset, r2 = size, r3 as it is. */
static void call_reader(struct gen *g, enum expr_space space, int kernel, int user, int base,
			int offset, u32 size)
{
	mov_reg(g->code, R1, base);
	alu_imm(g->code, BPF_ADD, true, R1, offset);
	alu_imm(g->code, BPF_MOV, true, R2, size);
	if (space == EXPR_SPACE_ANY) {
		int is_kernel = label_new(g->code), done = label_new(g->code);

		jump_if_kernel(g, is_kernel);
		call(g->code, user);
		jump(g->code, done);
		label_here(g->code, is_kernel);
		call(g->code, kernel);
		label_here(g->code, done);
	} else {
		call(g->code, space == EXPR_SPACE_USER ? user : kernel);
	}
}

/* `size` bytes at the address in r3. */
static void read_bytes(struct gen *g, enum expr_space space, int base, int offset, u32 size)
{
	call_reader(g, space, BPF_FUNC_probe_read_kernel, BPF_FUNC_probe_read_user, base, offset,
		    size);
	jump_imm(g->code, BPF_JNE, true, R0, 0, g->fault);
}

/* A string at the address in r3; the length that was written, with the NUL, stays in r0. */
static void read_text(struct gen *g, enum expr_space space, int base, int offset, u32 size)
{
	call_reader(g, space, BPF_FUNC_probe_read_kernel_str, BPF_FUNC_probe_read_user_str, base,
		    offset, size);
	jump_imm(g->code, BPF_JSLT, true, R0, 0, g->fault);
}

static void add_const(struct gen *g, int dst, u64 v, int scratch)
{
	if (!v)
		return;
	if ((s64)v == (s32)v) {
		alu_imm(g->code, BPF_ADD, true, dst, v);
		return;
	}
	load_const(g->code, scratch, v);
	alu_reg(g->code, BPF_ADD, true, dst, scratch);
}

/* The address of memory into r3. */
static void address(struct gen *g, const struct node *memory)
{
	gen_value(g, memory->a, R3);
	add_const(g, R3, memory->number, R4);
}

/* --- Values of less than 4 bytes are kept as int would be --- */

static void narrow(struct gen *g, int dst, u32 size, bool is_signed)
{
	int unused = 32 - 8 * size;

	if (size >= 4)
		return;
	if (!is_signed) {
		alu_imm(g->code, BPF_AND, false, dst, size == 1 ? 0xff : 0xffff);
		return;
	}
	alu_imm(g->code, BPF_LSH, false, dst, unused);
	alu_imm(g->code, BPF_ARSH, false, dst, unused);
}

/* `dst` holds `bits` bits of a number, and zeroes: to 64. */
static void sign_extend(struct gen *g, int dst, int bits)
{
	alu_imm(g->code, BPF_LSH, true, dst, 64 - bits);
	alu_imm(g->code, BPF_ARSH, true, dst, 64 - bits);
}

static bool in_context(const struct node *n)
{
	return n->a->kind == N_CONTEXT && n->number < 8192 && n->number % n->type->size == 0 &&
	       !n->width;
}

static u32 power_of_two(u32 n)
{
	u32 p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static void bit_field(struct gen *g, const struct node *n, int dst)
{
	alu_imm(g->code, BPF_LSH, true, dst, 64 - n->bit - n->width);
	alu_imm(g->code, n->type->is_signed ? BPF_ARSH : BPF_RSH, true, dst, 64 - n->width);
}

/* The bytes that are read of a bit field: no more than its type's, if they hold it. */
static u32 bit_field_bytes(const struct node *n)
{
	u32 touched = (n->bit + n->width + 7) / 8, whole = power_of_two(touched);

	return whole <= n->type->size ? whole : touched;
}

static void load(struct gen *g, const struct node *n, int dst)
{
	u32 size = n->width ? bit_field_bytes(n) : n->type->size, room = power_of_two(size);
	int slot;

	if (in_context(n)) {
		load_mem(g->code, size, dst, CTX, n->number);
		if (n->type->is_signed)
			narrow(g, dst, size, true);
		return;
	}
	address(g, n);
	slot = stack_take(g, 8);
	if (room != size)
		store_imm(g->code, 8, FP, slot, 0);
	read_bytes(g, n->space, FP, slot, size);
	load_mem(g->code, room, dst, FP, slot);
	stack_give(g, 8);
	if (n->width)
		bit_field(g, n, dst);
	else if (n->type->is_signed)
		narrow(g, dst, size, true);
}

/* --- What the probe gives --- */

/* What was read as `size` bytes, zeroes above, as a value of type t. */
static void fit(struct gen *g, int dst, u32 size, bool is_signed, const struct expr_type *t)
{
	if (is_signed && size < t->size)
		sign_extend(g, dst, size * 8);
	if (size > t->size || t->is_signed)
		narrow(g, dst, t->size, t->is_signed);
}

static void context_word(struct gen *g, const struct expr_place *p, int dst)
{
	if (p->shift) {
		load_mem(g->code, 8, dst, CTX, p->offset);
		alu_imm(g->code, BPF_RSH, true, dst, p->shift);
		if (p->size < 4)
			narrow(g, dst, p->size, false);
		return;
	}
	load_mem(g->code, p->size, dst, CTX, p->offset);
	if (p->typed) { /* the verifier forgets that it is a pointer, and lets us calculate */
		alu_imm(g->code, BPF_NEG, true, dst, 0);
		alu_imm(g->code, BPF_NEG, true, dst, 0);
	}
}

static void place_in_memory(struct gen *g, const struct expr_place *p, int dst)
{
	enum expr_space space = p->kernel ? EXPR_SPACE_KERNEL : g->scope->space;
	int slot = stack_take(g, 8);

	if (p->offset == EXPR_NOWHERE)
		load_const(g->code, R3, 0);
	else
		load_mem(g->code, 8, R3, CTX, p->offset);
	if (p->scale) {
		load_mem(g->code, 8, R4, CTX, p->index);
		if (p->index_size == 4 && p->index_signed)
			sign_extend(g, R4, 32);
		else if (p->index_size == 4)
			alu_reg(g->code, BPF_MOV, false, R4, R4);
		alu_imm(g->code, BPF_MUL, true, R4, p->scale);
		alu_reg(g->code, BPF_ADD, true, R3, R4);
	}
	add_const(g, R3, p->disp, R4);
	read_bytes(g, space, FP, slot, p->size);
	load_mem(g->code, p->size, dst, FP, slot);
	stack_give(g, 8);
}

static void place(struct gen *g, const struct node *n, int dst)
{
	const struct expr_place *p = n->place;

	switch (p->at) {
	case EXPR_AT_CONTEXT: context_word(g, p, dst); break;
	case EXPR_AT_MEMORY: place_in_memory(g, p, dst); break;
	case EXPR_AT_CONSTANT: load_const(g->code, dst, p->disp); return;
	case EXPR_AT_DATA_LOC:
		load_mem(g->code, 4, dst, CTX, p->offset);
		alu_imm(g->code, BPF_AND, true, dst, 0xffff);
		alu_reg(g->code, BPF_ADD, true, dst, CTX);
		return;
	}
	fit(g, dst, p->size, p->is_signed, n->type);
}

static void saved(struct gen *g, const struct node *n, int dst)
{
	const struct expr_value *v = &n->saved->value;

	load_mem(g->code, 8, dst, FP, g->saved);
	load_mem(g->code, 8, dst, dst, g->scope->saved_faults);
	if (v->fault)
		alu_imm(g->code, BPF_RSH, true, dst, v->fault);
	jump_imm(g->code, BPF_JSET, true, dst, 1, g->fault);
	load_mem(g->code, 8, dst, FP, g->saved);
	if (v->kind == EXPR_STRING || v->kind == EXPR_BYTES) {
		alu_imm(g->code, BPF_ADD, true, dst, v->offset);
		return;
	}
	load_mem(g->code, v->size, dst, dst, v->offset);
	fit(g, dst, v->size, false, n->type);
}

/* --- Operators --- */

/* Whether its value is made in one register without touching another. */
static bool simple(const struct node *n)
{
	switch (n->kind) {
	case N_NUMBER:
	case N_CONTEXT:
	case N_SAVED: return true;
	case N_PLACE: return n->place->at != EXPR_AT_MEMORY;
	case N_MEMORY: return type_scalar(n->type) && in_context(n);
	case N_CAST:
	case N_NEGATE:
	case N_SWAP:
	case N_INVERT: return simple(n->a);
	default: return false;
	}
}

/* a and b into two registers. */
static void operands(struct gen *g, const struct node *a, const struct node *b, int ra, int rb)
{
	int kept;

	if (simple(b)) {
		gen_value(g, a, ra);
		gen_value(g, b, rb);
	} else if (simple(a)) {
		gen_value(g, b, rb);
		gen_value(g, a, ra);
	} else {
		gen_value(g, a, ra);
		kept = keep(g, ra);
		gen_value(g, b, rb);
		unkeep(g, kept, ra);
	}
}

static bool wide(const struct node *n)
{
	return n->type->size == 8;
}

/* As the immediate of an instruction on values of that width. */
static bool immediate(const struct node *n, bool wide)
{
	return n->kind == N_NUMBER && (!wide || (s64)n->number == (s32)n->number);
}

static void absolute(struct gen *g, bool wide, int reg)
{
	int positive = label_new(g->code);

	jump_imm(g->code, BPF_JSGE, wide, reg, 0, positive);
	alu_imm(g->code, BPF_NEG, wide, reg, 0);
	label_here(g->code, positive);
}

/*
 * BPF divides unsigned numbers only (before v4), and division by zero is none of its errors. A
 * quotient is negative if the signs differ, a remainder if the dividend is.
 */
static void divide(struct gen *g, const struct node *n, int dst)
{
	bool w = wide(n), is_signed = n->a->type->is_signed, positive;
	int op = n->kind == N_DIV ? BPF_DIV : BPF_MOD, plus = label_new(g->code);

	operands(g, n->a, n->b, R0, R1);
	positive = n->b->kind == N_NUMBER && (s64)n->b->number > 0;
	if (n->b->kind != N_NUMBER)
		jump_imm(g->code, BPF_JEQ, w, R1, 0, g->fault);
	if (is_signed) {
		alu_reg(g->code, BPF_MOV, w, R2, R0);
		if (op == BPF_DIV && !positive)
			alu_reg(g->code, BPF_XOR, w, R2, R1);
		absolute(g, w, R0);
		if (!positive)
			absolute(g, w, R1);
	}
	alu_reg(g->code, op, w, R0, R1);
	if (is_signed) {
		jump_imm(g->code, BPF_JSGE, w, R2, 0, plus);
		alu_imm(g->code, BPF_NEG, w, R0, 0);
		label_here(g->code, plus);
	}
	if (dst != R0)
		mov_reg(g->code, dst, R0);
}

static int alu_op(const struct node *n)
{
	switch (n->kind) {
	case N_MUL: return BPF_MUL;
	case N_ADD: return BPF_ADD;
	case N_SUB: return BPF_SUB;
	case N_SHL: return BPF_LSH;
	case N_SHR: return n->type->is_signed ? BPF_ARSH : BPF_RSH;
	case N_AND: return BPF_AND;
	case N_XOR: return BPF_XOR;
	default: return BPF_OR;
	}
}

static void arithmetic(struct gen *g, const struct node *n, int dst)
{
	int src = dst == R0 ? R1 : R0;

	if (immediate(n->b, wide(n))) {
		gen_value(g, n->a, dst);
		alu_imm(g->code, alu_op(n), wide(n), dst, n->b->number);
		return;
	}
	operands(g, n->a, n->b, dst, src);
	alu_reg(g->code, alu_op(n), wide(n), dst, src);
}

/* Whether the upper half of the register is known to be zero. */
static bool zero_extended(const struct node *n)
{
	return n->kind == N_MEMORY && (n->width || !n->type->is_signed);
}

static void cast(struct gen *g, const struct node *n, int dst)
{
	const struct expr_type *from = n->a->type, *to = n->type;

	gen_value(g, n->a, dst);
	if (to->size == 8 && from->size < 8) {
		if (from->is_signed)
			sign_extend(g, dst, 32);
		else if (!zero_extended(n->a))
			alu_reg(g->code, BPF_MOV, false, dst, dst);
	} else if (to->size < 4 && (from->size != to->size || from->is_signed != to->is_signed)) {
		narrow(g, dst, to->size, to->is_signed);
	}
}

static void truth(struct gen *g, const struct node *n, int dst)
{
	int no = label_new(g->code), done = label_new(g->code);

	gen_jump(g, n, false, no);
	alu_imm(g->code, BPF_MOV, true, dst, 1);
	jump(g->code, done);
	label_here(g->code, no);
	alu_imm(g->code, BPF_MOV, true, dst, 0);
	label_here(g->code, done);
}

static void choose(struct gen *g, const struct node *n, int dst)
{
	int no = label_new(g->code), done = label_new(g->code);

	gen_jump(g, n->a, false, no);
	gen_value(g, n->b, dst);
	jump(g->code, done);
	label_here(g->code, no);
	gen_value(g, n->c, dst);
	label_here(g->code, done);
}

void gen_value(struct gen *g, const struct node *n, int dst)
{
	switch (n->kind) {
	case N_NUMBER: load_const(g->code, dst, n->number); break;
	case N_PLACE: place(g, n, dst); break;
	case N_CONTEXT: mov_reg(g->code, dst, CTX); break;
	case N_SAVED: saved(g, n, dst); break;
	case N_BUILTIN: n->builtin->emit(g, dst); break;
	case N_MEMORY: load(g, n, dst); break;
	case N_NEGATE:
		gen_value(g, n->a, dst);
		alu_imm(g->code, BPF_NEG, wide(n), dst, 0);
		break;
	case N_SWAP:
		gen_value(g, n->a, dst);
		alu_imm(g->code, BPF_END | BPF_TO_BE, false, dst, 8 * n->type->size);
		break;
	case N_INVERT:
		gen_value(g, n->a, dst);
		alu_imm(g->code, BPF_XOR, wide(n), dst, -1);
		break;
	case N_MUL:
	case N_ADD:
	case N_SUB:
	case N_SHL:
	case N_SHR:
	case N_AND:
	case N_XOR:
	case N_OR: arithmetic(g, n, dst); break;
	case N_DIV:
	case N_MOD: divide(g, n, dst); break;
	case N_CAST: cast(g, n, dst); break;
	case N_CHOICE: choose(g, n, dst); break;
	default: truth(g, n, dst);
	}
}

/* --- Conditions --- */

/* What is to be jumped on; by the sign of the operands. */
static int compare_op(enum node_kind kind, bool is_signed)
{
	switch (kind) {
	case N_LT: return is_signed ? BPF_JSLT : BPF_JLT;
	case N_LE: return is_signed ? BPF_JSLE : BPF_JLE;
	case N_GT: return is_signed ? BPF_JSGT : BPF_JGT;
	case N_GE: return is_signed ? BPF_JSGE : BPF_JGE;
	case N_EQ: return BPF_JEQ;
	default: return BPF_JNE;
	}
}

static enum node_kind opposite(enum node_kind kind)
{
	switch (kind) {
	case N_LT: return N_GE;
	case N_LE: return N_GT;
	case N_GT: return N_LE;
	case N_GE: return N_LT;
	case N_EQ: return N_NE;
	default: return N_EQ;
	}
}

static void jump_compare(struct gen *g, const struct node *n, bool when, int label)
{
	int op = compare_op(when ? n->kind : opposite(n->kind), n->a->type->is_signed);
	bool w = wide(n->a);

	/* Bits that C leaves out of a small type are gone: as int it compares whole. */
	if (immediate(n->b, w)) {
		gen_value(g, n->a, R0);
		jump_imm(g->code, op, w, R0, n->b->number, label);
		return;
	}
	operands(g, n->a, n->b, R0, R1);
	jump_reg(g->code, op, w, R0, R1, label);
}

/* `and`: jumps when both are true; else when one is. With `when` false, the other way round. */
static void jump_logic(struct gen *g, const struct node *n, bool when, int label)
{
	bool first_decides = (n->kind == N_LOR) == when;
	int over = label_new(g->code);

	gen_jump(g, n->a, first_decides == when, first_decides ? label : over);
	gen_jump(g, n->b, when, label);
	label_here(g->code, over);
}

/* Bytes in a stack slot, against those of a literal. */
static void jump_unlike(struct gen *g, int slot, const char *text, u32 len, int label)
{
	for (u32 at = 0, n; at < len; at += n) {
		u64 v = 0;

		n = len - at >= 8 ? 8 : len - at >= 4 ? 4 : len - at >= 2 ? 2 : 1;
		memcpy(&v, text + at, n);
		load_mem(g->code, n, R0, FP, slot + at);
		if (n == 8 && (s64)v != (s32)v) {
			load_const(g->code, R1, v);
			jump_reg(g->code, BPF_JNE, true, R0, R1, label);
		} else {
			jump_imm(g->code, BPF_JNE, n == 8, R0, v, label);
		}
	}
}

/* Whose memory a string is in. What was saved of the entry is in a map, unless it is a pointer. */
static enum expr_space text_space(const struct node *n)
{
	if (n->kind == N_SAVED && n->saved->value.kind == EXPR_STRING)
		return EXPR_SPACE_KERNEL;
	return n->type->kind == T_ARRAY ? n->space : n->type->space;
}

/* As many bytes of the string as decide; jumps if its length is already another. */
static void read_to_compare(struct gen *g, const struct node *n, int slot, int other)
{
	const struct node *s = n->a;
	u32 len = n->text_len;
	bool binary = n->number;

	if (s->kind == N_BUILTIN && s->builtin->emit_text) {
		if (len < s->type->size)
			s->builtin->emit_text(g, FP, slot);
		else
			jump(g->code, other);
		return;
	}
	if (s->kind == N_MEMORY && s->type->kind == T_ARRAY && s->type->count &&
	    (binary || s->type->count > len)) {
		address(g, s);
		read_bytes(g, s->space, FP, slot, binary ? len ?: 1 : len + 1);
		return;
	}
	if (s->kind == N_MEMORY && s->type->kind == T_ARRAY && s->type->count) {
		if (s->type->count < len) {
			jump(g->code, other);
			return;
		}
		address(g, s);
		read_bytes(g, s->space, FP, slot, len);
		store_imm(g->code, 1, FP, slot + len, 0);
		return;
	}
	if (s->kind == N_MEMORY && s->type->kind == T_ARRAY)
		address(g, s);
	else
		gen_value(g, s, R3);
	if (binary) {
		read_bytes(g, text_space(s), FP, slot, len ?: 1);
		return;
	}
	read_text(g, text_space(s), FP, slot, len + 2);
	jump_imm(g->code, BPF_JNE, true, R0, len + 1, other);
}

static void jump_streq(struct gen *g, const struct node *n, bool when, int label)
{
	u32 room = n->text_len + 2 < 16 ? 16 : n->text_len + 2;
	int slot = stack_take(g, room), other = when ? label_new(g->code) : label;

	read_to_compare(g, n, slot, other);
	jump_unlike(g, slot, n->text, n->text_len + !n->number, other);
	if (when) {
		jump(g->code, label);
		label_here(g->code, other);
	}
	stack_give(g, room);
}

void gen_jump(struct gen *g, const struct node *n, bool when, int label)
{
	switch (n->kind) {
	case N_NUMBER:
		if (!n->number == !when)
			jump(g->code, label);
		break;
	case N_NOT: gen_jump(g, n->a, !when, label); break;
	case N_LAND:
	case N_LOR: jump_logic(g, n, when, label); break;
	case N_LT:
	case N_LE:
	case N_GT:
	case N_GE:
	case N_EQ:
	case N_NE: jump_compare(g, n, when, label); break;
	case N_STREQ: jump_streq(g, n, when, label); break;
	default:
		gen_value(g, n, R0);
		jump_imm(g->code, when ? BPF_JNE : BPF_JEQ, wide(n), R0, 0, label);
	}
}

/* --- Strings and whole structs --- */

static void literal(struct gen *g, const struct node *n, int base, int offset, u32 size)
{
	u32 len = n->text_len < size ? n->text_len : size - 1;

	for (u32 i = 0; i < len; i++)
		store_imm(g->code, 1, base, offset + i, (u8)n->text[i]);
	store_imm(g->code, 1, base, offset + len, 0);
	load_const(g->code, R0, len + 1);
}

void gen_text(struct gen *g, const struct node *n, int base, int offset, u32 size)
{
	int no, done;

	switch (n->kind) {
	case N_STRING: literal(g, n, base, offset, size); break;
	case N_CHOICE:
		no = label_new(g->code);
		done = label_new(g->code);
		gen_jump(g, n->a, false, no);
		gen_text(g, n->b, base, offset, size);
		jump(g->code, done);
		label_here(g->code, no);
		gen_text(g, n->c, base, offset, size);
		label_here(g->code, done);
		break;
	case N_BUILTIN:
		if (!n->builtin->emit_text)
			goto by_address;
		n->builtin->emit_text(g, base, offset);
		load_const(g->code, R0, n->type->size);
		break;
	case N_MEMORY:
		if (n->type->kind != T_ARRAY)
			goto by_address;
		address(g, n);
		if (n->type->count && n->type->count < size)
			size = n->type->count + 1; /* it may lack its NUL */
		read_text(g, n->space, base, offset, size);
		break;
	default:
	by_address:
		gen_value(g, n, R3);
		read_text(g, text_space(n), base, offset, size);
	}
}

void gen_bytes(struct gen *g, const struct node *n, int base, int offset, u32 size)
{
	if (n->kind == N_SAVED) {
		saved(g, n, R3);
		read_bytes(g, EXPR_SPACE_KERNEL, base, offset, size);
		return;
	}
	address(g, n);
	read_bytes(g, n->space, base, offset, size);
}
