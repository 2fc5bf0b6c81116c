/*
 * The expression language of probes: C expressions as BCC's users write them, typed from BTF and
 * compiled to BPF instructions in this process. A small compiler, a file a stage:
 *
 *	btf.c      kernel BTF, whole in memory; nothing in it is believed
 *	type.c     types made from BTF as they are asked for, and the base types without any
 *	token.c    text to tokens; macro.c adds the macros of -I headers
 *	parse.c    tokens to a tree
 *	check.c    names, types, C's conversions: a tree that says all it means
 *	builtin.c  $PID, STRCMP() and the like: each with its typing and its instructions
 *	emit.c     a tree to instructions, by way of code.c (labels) and read.c (memory)
 *	prog.c     a program: filters, values into a record, and what a tracing tool does with them
 *	dump.c     instructions as text
 *
 * A caller loads types, says in a scope what a probe gives, makes a program of statements, loads
 *it:
 *
 *	expr_types_load(&types, NULL);
 *	n = expr_signature(types, source, names, max, &err);
 *	p = expr_prog_new(&scope);
 *	expr_record(p, 0, 8, 0);
 *	expr_filter(p, source, &err);
 *	expr_value(p, source, EXPR_AS_IS, 0, &value, &err);
 *	expr_output(p, 1, 0);
 *	fd = expr_load(p, &load);
 *
 * What does not fit the probe, or C, is refused with its place in the source. A read that faults
 * spoils its value and is told, it never becomes a zero.
 */
#ifndef EXPR_H
#define EXPR_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>

#include "buf.h"
#include "types.h"

#define EXPR_SOURCE_MAX 4096 /* bytes of one expression */
#define EXPR_STRING_MAX 4096 /* bytes of one string value, with its NUL */
#define EXPR_NAMES_MAX  128  /* parameters, or fields of a tracepoint */

/* A part of what the user wrote: text[start] to text[end - 1]. */
struct expr_source {
	const char *text;
	u32 start, end;
};

struct expr_source expr_source(const char *text); /* all of it */

/* What is wrong, and where: `len` bytes at text[pos]. */
struct expr_error {
	u32 pos, len;
	char text[256];
};

/* The line of `text` that holds the place, and under it a caret. */
void expr_caret(struct buf *b, const char *text, const struct expr_error *err);

/* --- Types --- */

struct expr_types;
struct expr_type;

/*
 * The types of the running kernel, or of `file` (BTF, raw or in an ELF file). 0 or -errno: -EINVAL,
 * it is damaged. Without any (expr_types_none()), there are the base types of C only.
 */
int expr_types_load(struct expr_types **types, const char *file);
int expr_types_load_mem(struct expr_types **types, const void *btf, size_t size);
int expr_types_none(struct expr_types **types);
void expr_types_free(struct expr_types *types);

/* Adds the types of a kernel module (/sys/kernel/btf/NAME, which continues the kernel's). Once. */
int expr_types_module(struct expr_types *types, const char *name);
int expr_types_module_mem(struct expr_types *types, const void *btf, size_t size);

const struct expr_type *expr_type_int(struct expr_types *types, u32 size, bool is_signed);

/* "struct sock *", "u32", "char": NULL and the error. */
const struct expr_type *expr_type_parse(struct expr_types *types, struct expr_source source,
					struct expr_error *err);

u64 expr_type_size(const struct expr_type *type);
bool expr_type_signed(const struct expr_type *type);
bool expr_type_pointer(const struct expr_type *type);
/* Whether it is a pointer to char, or an array of it; and what C calls it. */
bool expr_type_text(struct expr_types *types, const struct expr_type *type);
void expr_type_name(struct expr_types *types, struct buf *b, const struct expr_type *type);
u32 expr_type_id(const struct expr_type *type); /* in BTF: of a struct, union, enum; 0: of others */

/* --- What a probe gives --- */

/* Where a value is when the program starts; offsets in bytes into the program's context. */
enum expr_at {
	EXPR_AT_CONTEXT,  /* `size` bytes at `offset`: a register, an fentry word, a field */
	EXPR_AT_DATA_LOC, /* tracepoints: text, at the offset in the low half of the word there */
	EXPR_AT_MEMORY, /* `size` bytes at the address: word at `offset`, + that at `index` * scale,
			   + disp; in the memory of the probe's space */
	EXPR_AT_CONSTANT, /* disp itself */
};

struct expr_place {
	enum expr_at at;
	u32 offset; /* EXPR_NOWHERE: the address is disp alone */
	u32 size;   /* 1, 2, 4 or 8; how many bytes count, whatever the type */
	bool is_signed;
	bool kernel; /* EXPR_AT_MEMORY: kernel memory, whatever the space of the probe */
	bool typed;  /* a word of fentry or tp_btf, which the verifier may take for a pointer */
	u8 shift;    /* bits of the word below the value */
	u32 index, scale; /* scale 0: no index */
	u32 index_size;   /* 4: its low half only; 0 is 8 */
	bool index_signed;
	s64 disp;
};

#define EXPR_NOWHERE (~0u)

struct expr_name {
	const char *name;
	const struct expr_type *type;
	struct expr_place place;
};

/* Memory that a pointer leads to, if nothing says so: told by each address at run time, or user. */
enum expr_space { EXPR_SPACE_ANY, EXPR_SPACE_KERNEL, EXPR_SPACE_USER };

/* The registers of an architecture, as struct pt_regs lays them out. */
struct expr_arch {
	const char *name;
	u32 args[8], nargs; /* offsets of the arguments' registers, by the calling convention */
	u32 ret, sp, ip;
	u32 link;       /* the return address, at a function's entry; 0: it is on the stack */
	u32 stack_args; /* where the first argument on the stack is, from sp, at a function's entry
			 */
	int kernel_bit; /* this bit is set in addresses of the kernel */
};

const struct expr_arch *expr_arch(const char *name); /* "x86_64", "arm64"; NULL: of this machine */

/*
 * The places of a function's parameters, by their types: for kprobe and uprobe at its entry, and
 * for fentry and fexit, whose words follow each other. False: one is passed in no way that is
 * known.
 */
bool expr_place_args(const struct expr_arch *arch, struct expr_name *names, int n);
bool expr_place_words(struct expr_name *names, int n);
struct expr_place expr_place_ret(const struct expr_arch *arch);

/* An argument of a USDT probe, as a value of its own size and sign. */
struct operand;
void expr_operand(struct expr_types *types, const struct operand *o, struct expr_name *name);

/* "(struct sock *sk, size_t size)", parentheses optional; how many, or -1 and the error. */
int expr_signature(struct expr_types *types, struct expr_source source, struct expr_name *names,
		   int max, struct expr_error *err);

/*
 * The parameters of a kernel function by BTF, and what it returns (NULL: void); how many, or
 * -ENOENT. For a BTF tracepoint too: expr_tracepoint_btf("sched_switch").
 */
int expr_function(struct expr_types *types, const char *name, struct expr_name *names, int max,
		  const struct expr_type **ret);
int expr_tracepoint_btf(struct expr_types *types, const char *name, struct expr_name *names,
			int max);

/* The fields of a tracepoint, with their places, from its `format` in tracefs; -EINVAL. */
int expr_tracepoint(struct expr_types *types, const char *format, struct expr_name *names, int max);

/* arg1 to arg6, for functions of unknown type: unsigned long. Returns 6. */
#define EXPR_ARGS 6
int expr_args(struct expr_types *types, const struct expr_arch *arch, struct expr_name *names);

/* A value that a program left in its record. */
enum expr_kind {
	EXPR_INT,
	EXPR_POINTER,
	EXPR_STRING, /* ends with a NUL, in `size` bytes */
	EXPR_BYTES,  /* a struct, union or array */
};

struct expr_value {
	enum expr_kind kind;
	bool is_signed;
	u32 offset, size;
	int fault; /* the bit of the record's faults that says it is not known */
	const struct expr_type *type;
};

/* What the program at a function's entry saved for the one at its return: see expr_save(). */
struct expr_saved {
	struct expr_source source; /* the x of $entry(x) */
	struct expr_value value;
};

struct expr_macros;

struct expr_scope {
	struct expr_types *types;
	const struct expr_arch *arch; /* NULL: of this machine */
	enum expr_space space;
	const struct expr_name *names, *fields; /* parameters; what args-> has */
	int nnames, nfields;
	const struct expr_name *retval; /* NULL: not at a return */
	const struct expr_name *gone;   /* there: what only $entry() can tell, for errors */
	int ngone;
	const struct expr_saved *saved; /* what $entry(x) can be */
	int nsaved;
	int latency; /* offset of the time of entry in what was saved; 0: there is no $latency */
	u32 saved_faults;         /* offset of the faults there */
	u64 pidns_dev, pidns_ino; /* namespace to number processes in; 0: the initial one */
	const struct expr_macros *macros;
	bool binary_strcmp; /* STRCMP() compares the literal's bytes, whatever follows */
};

/* What is inside the $entry(...)s of an expression; how many, or -1 and the error. */
int expr_entries(const struct expr_scope *scope, struct expr_source source,
		 struct expr_source *entries, int max, struct expr_error *err);
bool expr_latency(struct expr_source source); /* whether it asks for $latency */

/* The macros of a header ("net/sock.h": below /usr/include) and of those it includes. */
struct expr_macros *expr_macros_new(void);
int expr_macros_read(struct expr_macros *macros, const char *header); /* -errno: not there, ... */
void expr_macros_text(struct expr_macros *macros, const char *text, size_t len);
void expr_macros_free(struct expr_macros *macros);

/* --- Programs --- */

struct expr_prog;

/* Begins a program; the scope stays the caller's, and must last as long. */
struct expr_prog *expr_prog_new(const struct expr_scope *scope);
void expr_prog_free(struct expr_prog *p);

/*
 * Statements, in the order in which they run. Maps are said by number and get their descriptors
 * when the program is loaded.
 *
 * expr_record(): from here on there is a record, element 0 of the per-CPU array `map`. Its first
 * `header` bytes are the caller's; the faults of its values are a u64 at `faults` among them.
 */
void expr_record(struct expr_prog *p, int map, u32 header, u32 faults);
u32 expr_record_size(const struct expr_prog *p); /* so far: the size of the array's values */

/* Leaves the program if the expression is false. Counted in element 0 of the per-CPU array of u64
 * `faults` (-1: not) if it cannot be told; then it is left too. */
bool expr_filter(struct expr_prog *p, struct expr_source source, int faults,
		 struct expr_error *err);

enum expr_want {
	EXPR_AS_IS,   /* as its type says; an array of char is a string */
	EXPR_AS_TEXT, /* a pointer or number is the address of a string */
	EXPR_AS_INT,  /* nothing but an integer or a pointer will do */
	EXPR_CUT,     /* as its type says; of a struct, union or array `size` bytes at most */
};

/* Evaluates into the record. `size`: at most so many bytes of a string; 0 is 80. */
bool expr_value(struct expr_prog *p, struct expr_source source, enum expr_want want, u32 size,
		struct expr_value *value, struct expr_error *err);

/*
 * The same as a part of a key: converted to `type`, where a pointer to char, or an array of it,
 * means the string there. What a string does not fill is zeroes.
 */
bool expr_key(struct expr_prog *p, struct expr_source source, const struct expr_type *type,
	      u32 size, struct expr_value *value, struct expr_error *err);

/*
 * The same for a histogram: an s64 or u64. `log2`: the number of its power of two, as
 * expr_log2() has it; a negative value is -1 then.
 */
bool expr_bucket(struct expr_prog *p, struct expr_source source, const struct expr_type *type,
		 bool log2, struct expr_value *value, struct expr_error *err);

/* What else there is to write into the record: `size` bytes each, at `offset`. */
void expr_put_const(struct expr_prog *p, u32 offset, u64 v, u32 size);
void expr_put_time(struct expr_prog *p, u32 offset);     /* u64, ns of CLOCK_MONOTONIC */
void expr_put_pid_tgid(struct expr_prog *p, u32 offset); /* u64: tid in the low half */
void expr_put_pid(struct expr_prog *p, u32 offset);      /* u32, in the scope's namespace */
void expr_put_tid(struct expr_prog *p, u32 offset);
void expr_put_ids(struct expr_prog *p, u32 offset); /* u32 tid and u32 pid, as those two */
void expr_put_uid(struct expr_prog *p, u32 offset); /* u32 */
void expr_put_cpu(struct expr_prog *p, u32 offset); /* u32 */
void expr_put_comm(struct expr_prog *p, u32 offset);
void expr_put_cookie(struct expr_prog *p, u32 offset);   /* u64, bpf_get_attach_cookie() */
void expr_put_function(struct expr_prog *p, u32 offset); /* u64, an address in a kernel's */

/*
 * The kernel's or the user's stack, a struct bcc_stack (stack.h); its `n` is above STACK_DEPTH if
 * it could not be taken. At the first instruction of a kernel's function its caller is only in a
 * register on some machines, where the kernel does not look for it.
 */
enum expr_stack { EXPR_USER_STACK, EXPR_KERNEL_STACK, EXPR_KERNEL_ENTRY };

void expr_put_stack(struct expr_prog *p, u32 offset, enum expr_stack which);

/* Leaves the program unless the current task is one of these (n 0: any is). */
enum expr_id { EXPR_PID, EXPR_TID, EXPR_UID };
void expr_only(struct expr_prog *p, enum expr_id what, const u32 *ids, u32 n);
void expr_not(struct expr_prog *p, enum expr_id what, u32 id);
void expr_only_comm(struct expr_prog *p, const char *part); /* or its name has this in it */

/* Or in this control group (its id, and depth below the root; ~0: not known), or below it. */
void expr_only_cgroup(struct expr_prog *p, u64 id, u32 level);

/* Or unless the map has the value of the expression, an integer, as a key. */
bool expr_only_in(struct expr_prog *p, struct expr_source source, int map, struct expr_error *err);

/* The record into a ring buffer (or perf buffer). A loss is counted in element 0 of `lost`, a
 * per-CPU array of u64. */
void expr_output(struct expr_prog *p, int ring, int lost);
void expr_output_perf(struct expr_prog *p, int buffer, int lost);

/*
 * Adds one to the u64 at map[key], which is made if it is not there; the key is in the record.
 * A full map is counted in element 0 of `lost`.
 */
void expr_count(struct expr_prog *p, int map, u32 key, int lost);

/* The same in the map that is element 0 of an array of maps: user space may exchange it. */
void expr_count_in(struct expr_prog *p, int maps, u32 key, int lost);

/* In place of an unsigned u64 in the record: the number of its power of two, as a u64; 0 is 0. */
void expr_log2(struct expr_prog *p, u32 offset);

/*
 * The record into a hash by thread (u64 of expr_put_pid_tgid()). At the return, the other way: the
 * program is left if nothing was saved; else what was is deleted when the program ends, wherever
 * that is.
 */
void expr_save(struct expr_prog *p, int map, int lost);
void expr_saved(struct expr_prog *p, int map);

/* Leaves the program when the u64 in element 0 of the array `map` has been counted to `n`. */
void expr_limit(struct expr_prog *p, int map, u64 n);

/* Ends the program, which is whole now. -E2BIG: it is too long. */
int expr_finish(struct expr_prog *p);

const struct bpf_insn *expr_code(const struct expr_prog *p, u32 *n);
void expr_dump(struct buf *b, const struct bpf_insn *code, u32 n);

struct expr_load {
	const char *name;
	enum bpf_prog_type type;
	enum bpf_attach_type attach; /* of fentry, fexit, kprobe.multi ...; 0 elsewhere */
	u32 btf_id;                  /* what is attached to, there */
	int btf_fd;                  /* and the module it is in; 0: the kernel itself */
	const int *maps;             /* descriptors, by number */
	int nmaps;
	char *log; /* what the verifier said, if it refused */
	size_t log_size;
};

/* A descriptor or -errno. */
int expr_load(struct expr_prog *p, const struct expr_load *load);

#endif
