/* What the stages of the compiler share, in the order of the pipeline: see expr.h. */
#ifndef EXPR_INTERNAL_H
#define EXPR_INTERNAL_H

#include <setjmp.h>
#include <stdarg.h>

#include <linux/btf.h>

#include "expr.h"

#define DEPTH_MAX  128   /* of an expression's tree, of a chain of types */
#define NODES_MAX  4096  /* of a tree */
#define CODE_MAX   16384 /* instructions of a program; jumps reach 32767 */
#define STACK_SIZE 512   /* of a BPF program */

/* --- Memory that goes all at once: arena.c --- */

struct arena {
	struct chunk *chunks;
};

void *arena_new(struct arena *a, size_t size); /* zeroed */
char *arena_text(struct arena *a, const char *s, size_t len);
void arena_free(struct arena *a);

/* --- BTF: btf.c --- */

/* One file of it: a module's continues the numbers and the strings of the kernel's. */
struct btf_part {
	u8 *data;
	const char *strings;
	u32 strings_len, first_string;
	u32 *at; /* where in data each type is */
	u32 n, first;
};

struct expr_types {
	struct btf_part part[2];
	int nparts;
	struct arena arena;
	const struct expr_type **made; /* by number, those that were asked for */
};

/* NULL: no such type. What follows the struct in BTF follows it here. */
const struct btf_type *btf_type(const struct expr_types *types, u32 id);
const char *btf_string(const struct expr_types *types, u32 offset);

#define KIND(k) (1u << BTF_KIND_##k)
u32 btf_find(const struct expr_types *types, const char *name, u32 kinds); /* 0: none */
bool btf_enumerator(const struct expr_types *types, const char *name, u32 *id, s64 *value);
/* Calls for every name of a type of those kinds. */
void btf_names(const struct expr_types *types, u32 kinds, void (*each)(void *ctx, const char *name),
	       void *ctx);

/* --- Types: type.c --- */

enum type_kind {
	T_VOID,
	T_INT,
	T_ENUM,
	T_PTR,
	T_ARRAY,
	T_STRUCT,
	T_UNION,
	T_FUNC,
	T_FLOAT,
	T_OTHER, /* integers of other sizes */
};

struct expr_type {
	enum type_kind kind;
	bool is_signed, is_bool;
	bool forward;          /* a struct or union of which only the name is known */
	bool by_typedef;       /* a struct or union without a tag, which its name is not */
	enum expr_space space; /* a pointer's */
	u64 size, count;       /* bytes; elements of an array */
	const char *name;      /* of struct, union, enum, integer; may be "" */
	u32 id;                /* in BTF: of the struct, union or enum; 0: not from there */
	u32 to_id;             /* what a pointer or array is of, unless `to` says it */
	const struct expr_type *to;
};

struct member {
	const struct expr_type *type;
	u64 bit;   /* from the start of the outermost struct */
	u32 width; /* of a bit field; 0: it is none */
};

extern const struct expr_type type_void, type_int, type_uint, type_long, type_ulong, type_char,
	type_bool;

const struct expr_type *type_by_id(struct expr_types *types, u32 id);
const struct expr_type *type_to(struct expr_types *types, const struct expr_type *t);
const struct expr_type *type_pointer(struct expr_types *types, const struct expr_type *to,
				     enum expr_space space);
const struct expr_type *type_array(struct expr_types *types, const struct expr_type *to, u64 count);
const struct expr_type *type_named(struct expr_types *types, const char *name); /* typedef, int */
void type_names(void (*each)(void *ctx, const char *name), void *ctx); /* that need no BTF */
const struct expr_type *type_tagged(struct expr_types *types, enum type_kind kind, const char *tag);
const struct expr_type *type_complete(struct expr_types *types, const struct expr_type *t);

bool type_integer(const struct expr_type *t); /* or enum, or _Bool */
bool type_scalar(const struct expr_type *t);  /* or pointer */
bool type_record(const struct expr_type *t);  /* struct or union */
bool type_is_char(const struct expr_type *t); /* text: by its name, which u8 has not */

bool type_member(struct expr_types *types, const struct expr_type *t, const char *name,
		 struct member *m);
void type_members(struct expr_types *types, const struct expr_type *t,
		  void (*each)(void *ctx, const char *name), void *ctx);

/* --- One compilation --- */

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_PUNCT };

struct token {
	enum token_kind kind;
	u32 op;       /* TOKEN_PUNCT: its characters, OP() */
	u32 pos, len; /* in the source */
	const char *text;
	u32 text_len; /* a string's bytes, without the NUL */
	u64 number;
	const struct expr_type *type; /* of a number */
};

#define OP1(a)       ((u32)(a))
#define OP2(a, b)    ((u32)(a) << 8 | (b))
#define OP3(a, b, c) ((u32)(a) << 16 | (u32)(b) << 8 | (c))

#define MACRO_DEPTH 16

struct compile {
	const struct expr_scope *scope;
	struct expr_types *types;
	struct arena arena;
	struct expr_error *err;
	jmp_buf failed;

	/* token.c: the source, and on top of it the macros that are being expanded. */
	struct reading {
		const char *start, *at, *end;
		const char *macro;
	} reading[MACRO_DEPTH];
	int nreading;
	u32 base;                 /* position of reading[0].start */
	u32 macro_pos, macro_len; /* where the outermost macro's name stands */
	struct token token;       /* the one to look at */

	int depth, nodes;
};

/* Begins a compilation; when it fails, it goes on here again, and this is false. */
#define compiling(c, scope_, types_, err_)                                                         \
	(*(c) = (struct compile){ .scope = (scope_), .types = (types_), .err = (err_) },           \
	 !setjmp((c)->failed))

/* Leaves the compilation with an error. */
void fail(struct compile *c, u32 pos, u32 len, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 4, 5)));

/* The best of some names for one that was not found. */
struct guess {
	const char *wanted;
	char best[64];
	int distance;
};
void guess_name(void *guess, const char *name);
/* "...; did you mean 'best'?" */
void fail_guess(struct compile *c, u32 pos, u32 len, const struct guess *g, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 5, 6)));

/* --- Tokens: token.c, macro.c --- */

void token_start(struct compile *c, struct expr_source source);
void token_next(struct compile *c);
bool token_is(const struct compile *c, u32 op);
bool token_name_is(const struct compile *c, const char *name);
const char *macro_find(const struct expr_macros *macros, const char *name, size_t len);
bool scope_has(const struct expr_scope *scope, const char *name, size_t len);

/* --- The tree: parse.c --- */

enum node_kind {
	/* From the parser; the checker turns those up to N_SPACE into others. */
	N_NAME,
	N_CALL,   /* name(a, next of a ...) */
	N_MEMBER, /* a.name, a->name */
	N_INDEX,  /* a[b] */
	N_DEREF,
	N_ADDRESS,
	N_PLUS,
	N_SIZEOF,
	N_SPACE, /* a@user */

	N_NUMBER,
	N_STRING,
	N_PLACE,   /* a value that the probe gives */
	N_CONTEXT, /* the address of the context */
	N_SAVED,   /* a value that was saved at the function's entry */
	N_BUILTIN,
	N_MEMORY, /* what is at address a + number; scalars are loaded */
	N_STREQ,  /* the string at a is the literal b */
	N_NEGATE,
	N_INVERT,
	N_SWAP, /* a between the network's order of bytes and the machine's */
	N_NOT,
	N_MUL,
	N_DIV,
	N_MOD,
	N_ADD,
	N_SUB,
	N_SHL,
	N_SHR,
	N_LT,
	N_LE,
	N_GT,
	N_GE,
	N_EQ,
	N_NE,
	N_AND,
	N_XOR,
	N_OR,
	N_LAND,
	N_LOR,
	N_CHOICE, /* a ? b : c */
	N_CAST,   /* a to `type` */
};

struct node {
	enum node_kind kind;
	u32 pos, len;
	const struct expr_type *type;
	struct node *a, *b, *c, *next;
	const char *text; /* a name, a string's bytes */
	u32 text_len;
	bool arrow;
	u64 number; /* N_MEMORY: added to the address */
	enum expr_space space;
	u32 bit, width; /* N_MEMORY: a bit field's first bit from there; width 0: it is none */
	const struct expr_place *place;
	const struct builtin *builtin;
	const struct expr_saved *saved;
};

struct node *node_new(struct compile *c, enum node_kind kind, u32 pos, u32 len);
struct node *parse(struct compile *c);
const struct expr_type *parse_type(struct compile *c); /* NULL: this is no type */
int parse_signature(struct compile *c, struct expr_name *names, int max);

/* --- Meaning: check.c --- */

struct node *check(struct compile *c, struct node *n);       /* anything: memory stays memory */
struct node *value_of(struct compile *c, struct node *n);    /* what is checked, as a scalar */
struct node *check_value(struct compile *c, struct node *n); /* both */
struct node *check_integer(struct compile *c, struct node *n);
struct node *operation(struct compile *c, enum node_kind kind, const struct node *at,
		       struct node *a, struct node *b, const struct expr_type *type);
struct node *convert(struct compile *c, struct node *n, const struct expr_type *to);
bool is_string(struct compile *c, const struct node *n);     /* of char, or a literal */
bool may_be_string(struct compile *c, const struct node *n); /* or who knows what */
/* A string is compared: an address, or memory that is an array of char. */
struct node *check_streq(struct compile *c, struct node *string, struct node *literal, bool binary);

/* --- Builtins: builtin.c --- */

struct gen;

struct builtin {
	const char *name;
	bool call; /* NAME(...) */
	const struct expr_type *type;
	/* The node that stands for it; NULL: N_BUILTIN, which is emitted by one of the others. */
	struct node *(*check)(struct compile *c, struct node *n);
	void (*emit)(struct gen *g, int dst);                   /* a number into register dst */
	void (*emit_text)(struct gen *g, int base, int offset); /* the whole array into memory */
};

const struct builtin *builtin_find(const char *name);
void builtin_names(void (*each)(void *ctx, const char *name), void *ctx);

/* Structs' members by the names that macros of the kernel's headers give them. */
/* The x of $entry(x). */
struct expr_source entry_source(struct compile *c, const struct node *n);

const char *alias_of(const char *tag, const char *name);
void alias_names(const char *tag, void (*each)(void *ctx, const char *name), void *ctx);

/* --- Instructions: code.c --- */

enum { R0, R1, R2, R3, R4, R5, CTX, RECORD, KEEP0, KEEP1, FP };

/* Instructions with jumps to labels. What follows a jump away, up to a label that is jumped to, is
 * not emitted: the verifier refuses code that is never reached. */
struct code {
	struct bpf_insn *insn;
	int *jump; /* the label that the instruction jumps to, plus 1 */
	u32 n, room;
	int *label; /* where it is; -1: not yet, -2: nor jumped to */
	int nlabels;
	bool dead, full;
};

void code_free(struct code *c);
void emit(struct code *c, struct bpf_insn insn);
int label_new(struct code *c);
void label_here(struct code *c, int label);
void jump(struct code *c, int label);
void jump_imm(struct code *c, int op, bool wide, int dst, s32 imm, int label);
void jump_reg(struct code *c, int op, bool wide, int dst, int src, int label);
int code_finish(struct code *c);

void alu_imm(struct code *c, int op, bool wide, int dst, s32 imm);
void alu_reg(struct code *c, int op, bool wide, int dst, int src);
void mov_reg(struct code *c, int dst, int src);
void load_const(struct code *c, int dst, u64 v);
void load_map(struct code *c, int dst, int map); /* its number, until it is loaded */
void load_mem(struct code *c, u32 size, int dst, int src, int offset);
void store_reg(struct code *c, u32 size, int dst, int offset, int src);
void store_imm(struct code *c, u32 size, int dst, int offset, s32 imm);
void call(struct code *c, int helper);

/* --- Values in registers: emit.c --- */

/* Where a statement's values are kept meanwhile, and where it goes when a read faults. */
struct gen {
	struct code *code;
	const struct expr_scope *scope;
	const struct expr_arch *arch;
	int stack; /* bytes of the stack in use, from the frame pointer down */
	int kept;  /* of KEEP0, KEEP1 */
	int fault; /* label */
	int saved; /* offset from FP of the address of what was saved; 0: nothing was */
	bool full; /* the stack does not suffice */
};

/*
 * The value of a scalar into a register of R0 to R5; those others are lost. Values of up to 4 bytes
 * are in the low half, extended to it as their type says; what is in the high half is not known.
 */
void gen_value(struct gen *g, const struct node *n, int dst);
void gen_jump(struct gen *g, const struct node *n, bool when, int label); /* if it is that */

/* A string, cut off at size - 1 bytes, to memory at base + offset; its length and the NUL: R0. */
void gen_text(struct gen *g, const struct node *n, int base, int offset, u32 size);

/* A struct, union or array, to memory. */
void gen_bytes(struct gen *g, const struct node *n, int base, int offset, u32 size);

int stack_take(struct gen *g, u32 size); /* its offset from FP; in whole 8 bytes */
void stack_give(struct gen *g, u32 size);

#endif
