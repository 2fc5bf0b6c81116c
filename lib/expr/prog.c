/*
 * A program: statements one after the other, and two ends. r6 is the context, r7 the record; the
 * rest belongs to whatever statement is running.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "expr/internal.h"
#include "kernel.h"
#include "stack.h"
#include "util.h"

#define STRING_DEFAULT 80
#define RECORD_MAX     30000 /* offsets in instructions are of 16 bits */

struct expr_prog {
	const struct expr_scope *scope;
	struct code code;
	struct gen gen;
	int leave;  /* label: the program ends, having done nothing more */
	int out;    /* label: behind what is tidied up then */
	int forget; /* the map that has something to be deleted; -1: none */
	u32 record, faults, nfaults;
	int saved_slot,
		tail; /* where on the stack; tail: the record's length, if a string ends it */
	bool finished;
};

struct expr_prog *expr_prog_new(const struct expr_scope *scope)
{
	struct expr_prog *p = xcalloc(1, sizeof(*p));

	p->scope = scope;
	p->gen = (struct gen){ .code = &p->code,
			       .scope = scope,
			       .arch = scope->arch ?: expr_arch(NULL) };
	p->leave = p->out = label_new(&p->code);
	p->forget = -1;
	mov_reg(&p->code, CTX, R1);
	return p;
}

void expr_prog_free(struct expr_prog *p)
{
	if (!p)
		return;
	code_free(&p->code);
	free(p);
}

static void pointer_to_stack(struct code *code, int reg, int slot)
{
	mov_reg(code, reg, FP);
	alu_imm(code, BPF_ADD, true, reg, slot);
}

static void pointer_to_record(struct code *code, int reg, u32 offset)
{
	mov_reg(code, reg, RECORD);
	if (offset)
		alu_imm(code, BPF_ADD, true, reg, offset);
}

/* r0: element 0 of an array, or the program is left. */
static void lookup_zero(struct expr_prog *p, int map)
{
	int slot = stack_take(&p->gen, 8);

	store_imm(&p->code, 4, FP, slot, 0);
	load_map(&p->code, R1, map);
	pointer_to_stack(&p->code, R2, slot);
	call(&p->code, BPF_FUNC_map_lookup_elem);
	jump_imm(&p->code, BPF_JEQ, true, R0, 0, p->leave);
	stack_give(&p->gen, 8);
}

/* One more in element 0 of an array; not exact if CPUs share it. */
static void count_one(struct expr_prog *p, int map)
{
	lookup_zero(p, map);
	load_mem(&p->code, 8, R1, R0, 0);
	alu_imm(&p->code, BPF_ADD, true, R1, 1);
	store_reg(&p->code, 8, R0, 0, R1);
}

/* --- Expressions in it --- */

static struct node *compile(struct compile *c, struct expr_source source)
{
	token_start(c, source);
	return check(c, parse(c));
}

static void check_room(struct compile *c, struct expr_prog *p, const struct node *n)
{
	if (p->gen.full || p->code.full)
		fail(c, n->pos, n->len, "the expression is too long");
}

bool expr_filter(struct expr_prog *p, struct expr_source source, int faults, struct expr_error *err)
{
	int pass = label_new(&p->code);
	volatile bool ok = false;
	struct compile c;

	if (compiling(&c, p->scope, p->scope->types, err)) {
		struct node *n = value_of(&c, compile(&c, source));

		p->gen.fault = faults < 0 ? p->leave : label_new(&p->code);
		gen_jump(&p->gen, n, false, p->leave);
		if (faults >= 0) {
			jump(&p->code, pass);
			label_here(&p->code, p->gen.fault);
			count_one(p, faults);
			jump(&p->code, p->leave);
			label_here(&p->code, pass);
		}
		check_room(&c, p, n);
		ok = true;
	}
	arena_free(&c.arena);
	return ok;
}

static bool as_typed(enum expr_want want)
{
	return want == EXPR_AS_IS || want == EXPR_CUT;
}

/* What kind of value it becomes, and how long it is. */
static void value_kind(struct compile *c, const struct node *n, enum expr_want want, u32 size,
		       struct expr_value *v)
{
	size = size ?: STRING_DEFAULT;
	if (size > EXPR_STRING_MAX)
		size = EXPR_STRING_MAX;
	*v = (struct expr_value){ .type = n->type, .size = n->type->size };
	if (want == EXPR_AS_TEXT || (as_typed(want) && is_string(c, n) && n->type->kind != T_PTR) ||
	    (as_typed(want) && (n->kind == N_STRING || n->kind == N_CHOICE) && is_string(c, n))) {
		v->kind = EXPR_STRING;
		v->size = n->type->kind == T_ARRAY && n->type->count &&
					  (n->type->count < size || n->kind == N_BUILTIN)
				  ? n->type->count + (n->kind == N_MEMORY)
				  : size; /* a helper writes its array whole */
	} else if (n->type->kind == T_PTR) {
		v->kind = EXPR_POINTER;
	} else if (type_integer(n->type)) {
		v->kind = EXPR_INT;
		v->is_signed = n->type->is_signed;
	} else {
		v->kind = EXPR_BYTES;
		if (want == EXPR_CUT && v->size > size)
			v->size = size;
	}
}

static struct node *as_wanted(struct compile *c, struct node *n, enum expr_want want)
{
	if (want == EXPR_AS_TEXT) {
		if (!may_be_string(c, n))
			fail(c, n->pos, n->len, "this is no string, nor the address of one");
		if (type_integer(n->type))
			n = convert(c, n, type_pointer(c->types, &type_char, c->scope->space));
		return n;
	}
	if (as_typed(want) && (n->kind == N_STRING || n->kind == N_CHOICE) && is_string(c, n))
		return n;
	if (as_typed(want) && (type_record(n->type) || n->type->kind == T_ARRAY) && n->type->size) {
		if (n->kind == N_MEMORY || n->kind == N_SAVED || is_string(c, n))
			return n;
	}
	return value_of(c, n);
}

static void store_value(struct expr_prog *p, const struct node *n, const struct expr_value *v)
{
	switch (v->kind) {
	case EXPR_STRING: gen_text(&p->gen, n, RECORD, v->offset, v->size); break;
	case EXPR_BYTES: gen_bytes(&p->gen, n, RECORD, v->offset, v->size); break;
	default: gen_value(&p->gen, n, R0); store_reg(&p->code, v->size, RECORD, v->offset, R0);
	}
}

/* A value that is not known is zeroes, and its bit is set. */
static void store_fault(struct expr_prog *p, const struct expr_value *v)
{
	struct code *code = &p->code;
	u32 size = v->kind == EXPR_BYTES ? v->size : v->kind == EXPR_STRING ? 1 : v->size;

	for (u32 at = 0, n; at < size; at += n) {
		n = size - at >= 8 ? 8 : size - at >= 4 ? 4 : size - at >= 2 ? 2 : 1;
		store_imm(code, n, RECORD, v->offset + at, 0);
	}
	load_mem(code, 8, R1, RECORD, p->faults);
	load_const(code, R2, 1ull << v->fault);
	alu_reg(code, BPF_OR, true, R1, R2);
	store_reg(code, 8, RECORD, p->faults, R1);
}

static void place_value(struct compile *c, struct expr_prog *p, const struct node *n,
			struct expr_value *v)
{
	u32 align = v->kind == EXPR_STRING ? 1 : 8;

	if (v->size == 0 || v->size > 4096)
		fail(c, n->pos, n->len, "this is of %u bytes, and cannot be taken whole", v->size);
	if (p->nfaults == 64)
		fail(c, n->pos, n->len, "these are too many values");
	v->offset = (p->record + align - 1) / align * align;
	v->fault = p->nfaults++;
	if (v->offset + v->size > RECORD_MAX)
		fail(c, n->pos, n->len, "these values are too long together");
	p->record = v->offset + v->size;
}

/* What is made of the expression, for the three ways of asking. */
struct wish {
	enum expr_want want;
	u32 size;                     /* of a string */
	const struct expr_type *type; /* it is converted to that; NULL: it is not */
	bool key;                     /* what a string does not fill is zeroes */
	bool wide;                    /* an integer is extended to 8 bytes */
};

static struct node *as_wished(struct compile *c, struct node *n, const struct wish *w)
{
	const struct expr_type *to = w->type;

	n = as_wanted(c, n, w->want);
	if (!to || w->want == EXPR_AS_TEXT)
		return n;
	if (!type_scalar(to))
		fail(c, n->pos, n->len,
		     "this can be taken as a number, a pointer or a string only");
	n = convert(c, n, to);
	if (w->wide)
		n = convert(c, n, to->is_signed ? &type_long : &type_ulong);
	return n;
}

static void store_zeroes(struct code *code, u32 offset, u32 size)
{
	for (u32 at = offset, end = offset + size, n; at < end; at += n) {
		for (n = 8; at % n || n > end - at;)
			n /= 2;
		store_imm(code, n, RECORD, at, 0);
	}
}

static bool evaluate(struct expr_prog *p, struct expr_source source, const struct wish *w,
		     struct expr_value *value, struct expr_error *err)
{
	int done = label_new(&p->code);
	volatile bool ok = false;
	struct compile c;

	if (compiling(&c, p->scope, p->scope->types, err)) {
		struct node *n = as_wished(&c, compile(&c, source), w);

		value_kind(&c, n, w->want, w->size, value);
		if (w->key && value->kind == EXPR_STRING && n->kind != N_BUILTIN)
			value->size = w->size; /* the same wherever the probe fires */
		place_value(&c, p, n, value);
		if (w->key && value->kind == EXPR_STRING)
			store_zeroes(&p->code, value->offset, value->size);
		p->gen.fault = label_new(&p->code);
		store_value(p, n, value);
		jump(&p->code, done);
		label_here(&p->code, p->gen.fault);
		store_fault(p, value);
		label_here(&p->code, done);
		check_room(&c, p, n);
		ok = true;
	}
	arena_free(&c.arena);
	return ok;
}

bool expr_value(struct expr_prog *p, struct expr_source source, enum expr_want want, u32 size,
		struct expr_value *value, struct expr_error *err)
{
	return evaluate(p, source, &(struct wish){ .want = want, .size = size }, value, err);
}

bool expr_key(struct expr_prog *p, struct expr_source source, const struct expr_type *type,
	      u32 size, struct expr_value *value, struct expr_error *err)
{
	bool text = expr_type_text(p->scope->types, type);
	struct wish w = { .want = text ? EXPR_AS_TEXT : EXPR_AS_INT,
			  .size = size ?: STRING_DEFAULT,
			  .type = type,
			  .key = true };

	return evaluate(p, source, &w, value, err);
}

bool expr_bucket(struct expr_prog *p, struct expr_source source, const struct expr_type *type,
		 bool log2, struct expr_value *value, struct expr_error *err)
{
	struct wish w = { .want = EXPR_AS_INT, .type = type, .wide = true };
	int negative = label_new(&p->code), done = label_new(&p->code);

	if (!evaluate(p, source, &w, value, err))
		return false;
	if (!log2)
		return true;
	if (value->is_signed) {
		load_mem(&p->code, 8, R0, RECORD, value->offset);
		jump_imm(&p->code, BPF_JSLT, true, R0, 0, negative);
	}
	expr_log2(p, value->offset);
	if (value->is_signed) {
		jump(&p->code, done);
		label_here(&p->code, negative);
		store_imm(&p->code, 8, RECORD, value->offset, -1);
		label_here(&p->code, done);
	}
	return true;
}

/* --- Statements --- */

void expr_record(struct expr_prog *p, int map, u32 header, u32 faults)
{
	lookup_zero(p, map);
	mov_reg(&p->code, RECORD, R0);
	store_imm(&p->code, 8, RECORD, faults, 0);
	p->record = header;
	p->faults = faults;
}

u32 expr_record_size(const struct expr_prog *p)
{
	return (p->record + 7) / 8 * 8;
}

void expr_put_const(struct expr_prog *p, u32 offset, u64 v, u32 size)
{
	if (size < 8 || (s64)v == (s32)v) {
		store_imm(&p->code, size, RECORD, offset, v);
		return;
	}
	load_const(&p->code, R0, v);
	store_reg(&p->code, size, RECORD, offset, R0);
}

static void put_helper(struct expr_prog *p, int helper, u32 offset, u32 size)
{
	call(&p->code, helper);
	store_reg(&p->code, size, RECORD, offset, R0);
}

static void put_builtin(struct expr_prog *p, const char *name, u32 offset)
{
	builtin_find(name)->emit(&p->gen, R0);
	store_reg(&p->code, 4, RECORD, offset, R0);
}

void expr_put_time(struct expr_prog *p, u32 offset)
{
	put_helper(p, BPF_FUNC_ktime_get_ns, offset, 8);
}

void expr_put_pid_tgid(struct expr_prog *p, u32 offset)
{
	put_helper(p, BPF_FUNC_get_current_pid_tgid, offset, 8);
}

void expr_put_ids(struct expr_prog *p, u32 offset)
{
	if (!p->scope->pidns_ino) {
		expr_put_pid_tgid(p, offset);
		return;
	}
	expr_put_tid(p, offset);
	expr_put_pid(p, offset + 4);
}

void expr_put_pid(struct expr_prog *p, u32 offset)
{
	put_builtin(p, "$PID", offset);
}

void expr_put_tid(struct expr_prog *p, u32 offset)
{
	put_builtin(p, "$TID", offset);
}

void expr_put_uid(struct expr_prog *p, u32 offset)
{
	put_builtin(p, "$UID", offset);
}

void expr_put_cpu(struct expr_prog *p, u32 offset)
{
	put_builtin(p, "$CPU", offset);
}

void expr_put_comm(struct expr_prog *p, u32 offset)
{
	builtin_find("$COMM")->emit_text(&p->gen, RECORD, offset);
}

void expr_put_cookie(struct expr_prog *p, u32 offset)
{
	mov_reg(&p->code, R1, CTX);
	put_helper(p, BPF_FUNC_get_attach_cookie, offset, 8);
}

/* Of a probe that is not at the very entry (lib/probe/event.c) the helper knows nothing. */
void expr_put_function(struct expr_prog *p, u32 offset)
{
	int known = label_new(&p->code);

	mov_reg(&p->code, R1, CTX);
	call(&p->code, BPF_FUNC_get_func_ip);
	jump_imm(&p->code, BPF_JNE, true, R0, 0, known);
	load_mem(&p->code, 8, R0, CTX, p->gen.arch->ip);
	label_here(&p->code, known);
	store_reg(&p->code, 8, RECORD, offset, R0);
}

/* Its frames from `first` on; R0 is how many, or negative. */
static void get_stack(struct expr_prog *p, u32 offset, u32 first, bool user)
{
	mov_reg(&p->code, R1, CTX);
	pointer_to_record(&p->code, R2,
			  offset + offsetof(struct bcc_stack, ip) + first * sizeof(u64));
	alu_imm(&p->code, BPF_MOV, true, R3, (STACK_DEPTH - first) * sizeof(u64));
	alu_imm(&p->code, BPF_MOV, true, R4, user ? BPF_F_USER_STACK : 0);
	call(&p->code, BPF_FUNC_get_stack);
	alu_imm(&p->code, BPF_ARSH, true, R0, 3);
}

/* Below the first frame comes the caller, unless the kernel has it already. */
static void add_caller(struct expr_prog *p, u32 offset)
{
	const struct expr_arch *arch = p->gen.arch;
	u32 ip = offset + offsetof(struct bcc_stack, ip);
	int whole = label_new(&p->code), done = label_new(&p->code);

	get_stack(p, offset, 1, false);
	jump_imm(&p->code, BPF_JSLE, true, R0, 0, done);
	load_mem(&p->code, 8, R1, CTX, arch->link);
	load_mem(&p->code, 8, R2, RECORD, ip + 2 * sizeof(u64));
	jump_reg(&p->code, BPF_JEQ, true, R1, R2, whole);
	store_reg(&p->code, 8, RECORD, ip + sizeof(u64), R1);
	load_mem(&p->code, 8, R1, CTX, arch->ip);
	store_reg(&p->code, 8, RECORD, ip, R1);
	alu_imm(&p->code, BPF_ADD, true, R0, 1);
	jump(&p->code, done);
	label_here(&p->code, whole);
	get_stack(p, offset, 0, false);
	label_here(&p->code, done);
}

/* The helper tells bytes, or -errno: as a number of frames that is above all others. */
void expr_put_stack(struct expr_prog *p, u32 offset, enum expr_stack which)
{
	if (which == EXPR_KERNEL_ENTRY && p->gen.arch->link)
		add_caller(p, offset);
	else
		get_stack(p, offset, 0, which == EXPR_USER_STACK);
	store_reg(&p->code, 8, RECORD, offset + offsetof(struct bcc_stack, n), R0);
}

static void current_id(struct expr_prog *p, enum expr_id what)
{
	static const char *const names[] = {
		[EXPR_PID] = "$PID", [EXPR_TID] = "$TID", [EXPR_UID] = "$UID"
	};

	builtin_find(names[what])->emit(&p->gen, R0);
}

void expr_only(struct expr_prog *p, enum expr_id what, const u32 *ids, u32 n)
{
	int found = label_new(&p->code);

	if (!n)
		return;
	current_id(p, what);
	for (u32 i = 0; i < n; i++)
		jump_imm(&p->code, BPF_JEQ, false, R0, ids[i], found);
	jump(&p->code, p->leave);
	label_here(&p->code, found);
}

void expr_not(struct expr_prog *p, enum expr_id what, u32 id)
{
	current_id(p, what);
	jump_imm(&p->code, BPF_JEQ, false, R0, id, p->leave);
}

/* At each place where it can begin its letters are compared. */
void expr_only_comm(struct expr_prog *p, const char *part)
{
	int slot = stack_take(&p->gen, COMM_LEN), found = label_new(&p->code);
	size_t len = strlen(part);

	builtin_find("$COMM")->emit_text(&p->gen, FP, slot);
	for (size_t at = 0; at + len < COMM_LEN; at++) {
		int other = label_new(&p->code);

		for (size_t i = 0; i < len; i++) {
			load_mem(&p->code, 1, R1, FP, slot + at + i);
			jump_imm(&p->code, BPF_JNE, true, R1, (u8)part[i], other);
		}
		jump(&p->code, found);
		label_here(&p->code, other);
	}
	jump(&p->code, p->leave);
	label_here(&p->code, found);
	stack_give(&p->gen, COMM_LEN);
}

void expr_only_cgroup(struct expr_prog *p, u64 id, u32 level)
{
	u32 from = level == ~0u ? 0 : level, to = level == ~0u ? 31 : level;
	int found = label_new(&p->code);

	for (u32 i = from; i <= to; i++) {
		alu_imm(&p->code, BPF_MOV, true, R1, i);
		call(&p->code, BPF_FUNC_get_current_ancestor_cgroup_id);
		load_const(&p->code, R1, id);
		jump_reg(&p->code, BPF_JEQ, true, R0, R1, found);
		jump_imm(&p->code, BPF_JEQ, true, R0, 0, p->leave); /* that is all there are */
	}
	jump(&p->code, p->leave);
	label_here(&p->code, found);
}

bool expr_only_in(struct expr_prog *p, struct expr_source source, int map, struct expr_error *err)
{
	volatile bool ok = false;
	struct compile c;

	if (compiling(&c, p->scope, p->scope->types, err)) {
		struct node *n = value_of(&c, compile(&c, source));
		int slot = stack_take(&p->gen, 8);

		p->gen.fault = p->leave;
		gen_value(&p->gen, n, R0);
		store_reg(&p->code, n->type->size, FP, slot, R0);
		load_map(&p->code, R1, map);
		pointer_to_stack(&p->code, R2, slot);
		call(&p->code, BPF_FUNC_map_lookup_elem);
		jump_imm(&p->code, BPF_JEQ, true, R0, 0, p->leave);
		stack_give(&p->gen, 8);
		check_room(&c, p, n);
		ok = true;
	}
	arena_free(&c.arena);
	return ok;
}

void expr_output(struct expr_prog *p, int ring, int lost)
{
	int done = label_new(&p->code);

	load_map(&p->code, R1, ring);
	mov_reg(&p->code, R2, RECORD);
	alu_imm(&p->code, BPF_MOV, true, R3, expr_record_size(p));
	alu_imm(&p->code, BPF_MOV, true, R4, 0);
	call(&p->code, BPF_FUNC_ringbuf_output);
	jump_imm(&p->code, BPF_JEQ, true, R0, 0, done);
	count_one(p, lost);
	label_here(&p->code, done);
}

void expr_output_perf(struct expr_prog *p, int buffer, int lost)
{
	int done = label_new(&p->code);

	mov_reg(&p->code, R1, CTX);
	load_map(&p->code, R2, buffer);
	load_const(&p->code, R3, BPF_F_CURRENT_CPU);
	mov_reg(&p->code, R4, RECORD);
	alu_imm(&p->code, BPF_MOV, true, R5, expr_record_size(p));
	call(&p->code, BPF_FUNC_perf_event_output);
	jump_imm(&p->code, BPF_JEQ, true, R0, 0, done);
	count_one(p, lost);
	label_here(&p->code, done);
}

/* A map by its number, or (slot not 0) by its address on the stack. */
struct table {
	int map, slot;
};

/* r1: the map, r2: the address of the key. */
static void table_and_key(struct expr_prog *p, struct table t, u32 key)
{
	if (t.slot)
		load_mem(&p->code, 8, R1, FP, t.slot);
	else
		load_map(&p->code, R1, t.map);
	pointer_to_record(&p->code, R2, key);
}

static void count(struct expr_prog *p, struct table t, u32 key, int lost)
{
	struct code *code = &p->code;
	int add = label_new(code), done = label_new(code), slot = stack_take(&p->gen, 8);

	table_and_key(p, t, key);
	call(code, BPF_FUNC_map_lookup_elem);
	jump_imm(code, BPF_JNE, true, R0, 0, add);
	store_imm(code, 8, FP, slot, 0);
	table_and_key(p, t, key);
	pointer_to_stack(code, R3, slot);
	alu_imm(code, BPF_MOV, true, R4,
		BPF_NOEXIST); /* another CPU may be first: then it counts */
	call(code, BPF_FUNC_map_update_elem);
	table_and_key(p, t, key);
	call(code, BPF_FUNC_map_lookup_elem);
	jump_imm(code, BPF_JNE, true, R0, 0, add);
	count_one(p, lost);
	jump(code, done);
	label_here(code, add);
	alu_imm(code, BPF_MOV, true, R1, 1);
	emit(code, (struct bpf_insn){ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
				      .dst_reg = R0,
				      .src_reg = R1,
				      .imm = BPF_ADD });
	label_here(code, done);
	stack_give(&p->gen, 8);
}

void expr_count(struct expr_prog *p, int map, u32 key, int lost)
{
	count(p, (struct table){ .map = map }, key, lost);
}

void expr_count_in(struct expr_prog *p, int maps, u32 key, int lost)
{
	struct table t = { .slot = stack_take(&p->gen, 8) };

	lookup_zero(p, maps);
	store_reg(&p->code, 8, FP, t.slot, R0);
	count(p, t, key, lost);
	stack_give(&p->gen, 8);
}

/* The number of the highest bit plus 1, by halves. */
void expr_log2(struct expr_prog *p, u32 offset)
{
	struct code *code = &p->code;
	int zero = label_new(code);

	load_mem(code, 8, R0, RECORD, offset);
	alu_imm(code, BPF_MOV, true, R1, 0);
	jump_imm(code, BPF_JEQ, true, R0, 0, zero);
	alu_imm(code, BPF_MOV, true, R1, 1);
	for (int half = 32; half; half /= 2) {
		int small = label_new(code);

		mov_reg(code, R2, R0);
		alu_imm(code, BPF_RSH, true, R2, half);
		jump_imm(code, BPF_JEQ, true, R2, 0, small);
		mov_reg(code, R0, R2);
		alu_imm(code, BPF_ADD, true, R1, half);
		label_here(code, small);
	}
	label_here(code, zero);
	store_reg(code, 8, RECORD, offset, R1);
}

/* r2: the address of the thread's key, on the stack. */
static void thread_key(struct expr_prog *p, int slot)
{
	call(&p->code, BPF_FUNC_get_current_pid_tgid);
	store_reg(&p->code, 8, FP, slot, R0);
	pointer_to_stack(&p->code, R2, slot);
}

void expr_save(struct expr_prog *p, int map, int lost)
{
	int done = label_new(&p->code), slot = stack_take(&p->gen, 8);

	thread_key(p, slot);
	load_map(&p->code, R1, map);
	mov_reg(&p->code, R3, RECORD);
	alu_imm(&p->code, BPF_MOV, true, R4, BPF_ANY);
	call(&p->code, BPF_FUNC_map_update_elem);
	jump_imm(&p->code, BPF_JEQ, true, R0, 0, done);
	count_one(p, lost);
	label_here(&p->code, done);
	stack_give(&p->gen, 8);
}

void expr_saved(struct expr_prog *p, int map)
{
	int slot = stack_take(&p->gen, 8);

	thread_key(p, slot);
	load_map(&p->code, R1, map);
	call(&p->code, BPF_FUNC_map_lookup_elem);
	jump_imm(&p->code, BPF_JEQ, true, R0, 0, p->leave);
	store_reg(&p->code, 8, FP, slot, R0);
	p->gen.saved = slot; /* stays taken */
	p->forget = map;
	p->leave = label_new(&p->code);
}

static void forget(struct expr_prog *p)
{
	int slot = stack_take(&p->gen, 8);

	thread_key(p, slot);
	load_map(&p->code, R1, p->forget);
	call(&p->code, BPF_FUNC_map_delete_elem);
	stack_give(&p->gen, 8);
}

void expr_limit(struct expr_prog *p, int map, u64 n)
{
	struct code *code = &p->code;

	lookup_zero(p, map);
	alu_imm(code, BPF_MOV, true, R1, 1);
	emit(code, (struct bpf_insn){ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
				      .dst_reg = R0,
				      .src_reg = R1,
				      .imm = BPF_ADD | BPF_FETCH });
	load_const(code, R2, n);
	jump_reg(code, BPF_JGE, true, R1, R2, p->leave);
}

/* --- The whole --- */

int expr_finish(struct expr_prog *p)
{
	if (!p->finished) {
		label_here(&p->code, p->leave);
		if (p->forget >= 0) {
			forget(p);
			label_here(&p->code, p->out);
		}
		p->code.dead = false;
		alu_imm(&p->code, BPF_MOV, true, R0, 0);
		emit(&p->code, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
		p->finished = true;
	}
	return code_finish(&p->code);
}

const struct bpf_insn *expr_code(const struct expr_prog *p, u32 *n)
{
	*n = p->code.n;
	return p->code.insn;
}

/* Numbers of maps become descriptors; helpers what they were called before Linux 5.5. */
static int resolve(struct bpf_insn *insn, u32 n, const struct expr_load *load)
{
	bool old = kernel_release() < 0x050500;

	for (u32 i = 0; i < n; i++) {
		if (insn[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			if (insn[i].src_reg == BPF_PSEUDO_MAP_FD) {
				if (insn[i].imm >= load->nmaps)
					return -EINVAL;
				insn[i].imm = load->maps[insn[i].imm];
			}
			i++;
		} else if (old && insn[i].code == (BPF_JMP | BPF_CALL)) {
			switch (insn[i].imm) {
			case BPF_FUNC_probe_read_kernel:
			case BPF_FUNC_probe_read_user: insn[i].imm = BPF_FUNC_probe_read; break;
			case BPF_FUNC_probe_read_kernel_str:
			case BPF_FUNC_probe_read_user_str: insn[i].imm = BPF_FUNC_probe_read_str;
			}
		}
	}
	return 0;
}

int expr_load(struct expr_prog *p, const struct expr_load *load)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = load->attach,
		    .attach_btf_id = load->btf_id, .attach_btf_obj_fd = load->btf_fd,
		    .log_buf = load->log, .log_size = load->log_size);
	struct bpf_insn *insn;
	int err = expr_finish(p), fd;

	if (err)
		return err;
	insn = xcalloc(p->code.n, sizeof(*insn));
	memcpy(insn, p->code.insn, p->code.n * sizeof(*insn));
	fd = resolve(insn, p->code.n, load);
	if (!fd)
		fd = bpf_prog_load(load->type, load->name, "GPL", insn, p->code.n, &opts);
	free(insn);
	return fd;
}

/* --- What has to be saved at entry --- */

static int gather(struct compile *c, const struct node *n, struct expr_source *entries, int max,
		  int found)
{
	if (!n)
		return found;
	if (n->kind == N_CALL && !strcmp(n->text, "$entry")) {
		if (found == max)
			fail(c, n->pos, n->len, "these are too many values");
		entries[found] = entry_source(c, n);
		return found + 1;
	}
	found = gather(c, n->a, entries, max, found);
	found = gather(c, n->b, entries, max, found);
	found = gather(c, n->c, entries, max, found);
	return gather(c, n->next, entries, max, found);
}

int expr_entries(const struct expr_scope *scope, struct expr_source source,
		 struct expr_source *entries, int max, struct expr_error *err)
{
	volatile int n = -1;
	struct compile c;

	if (compiling(&c, scope, scope->types, err)) {
		token_start(&c, source);
		n = gather(&c, parse(&c), entries, max, 0);
	}
	arena_free(&c.arena);
	return n;
}

bool expr_latency(struct expr_source source)
{
	static const char name[] = "$latency";

	return memmem(source.text + source.start, source.end - source.start, name,
		      sizeof(name) - 1);
}
