/*
 * Any text as an expression, a signature and a tracepoint's format: refused, with a place within
 * the text, or compiled to instructions that only jump forward, to within the program.
 */
#include <stdlib.h>
#include <string.h>

#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct expr_types *types;
static struct expr_name names[16];
static struct expr_scope scope;

static void set_up(void)
{
	if (expr_types_load(&types, getenv("BCCTOOL_FUZZ_BTF"))) /* BTF, or none */
		expr_types_none(&types);
	scope = (struct expr_scope){ .types = types, .names = names, .binary_strcmp = false };
	scope.nnames = expr_args(types, NULL, names);
	names[scope.nnames] = (struct expr_name){ .name = "c" };
	names[scope.nnames].type =
		expr_type_parse(types, expr_source("struct corpus *"), &(struct expr_error){});
	if (!names[scope.nnames].type)
		names[scope.nnames].type = expr_type_int(types, 8, false);
	names[scope.nnames].place = names[0].place;
	scope.nnames++;
}

static void look_at(const struct bpf_insn *insn, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		u8 class = BPF_CLASS(insn[i].code), op = BPF_OP(insn[i].code);

		if (insn[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			i++;
		else if ((class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL &&
			 op != BPF_EXIT && (insn[i].off < 0 || i + 1 + insn[i].off >= n))
			__builtin_trap();
	}
}

static void check_error(const struct expr_error *err, size_t size)
{
	if (err->pos > size || !err->len || !memchr(err->text, '\0', sizeof(err->text)))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct expr_source source = { (const char *)data, 0, size }, entries[4];
	struct expr_error err = { .len = 1 };
	struct expr_name parsed[8];
	struct expr_value value;
	struct expr_prog *p;
	struct buf b = {};
	char *text;
	u32 n;

	if (!types)
		set_up();
	p = expr_prog_new(&scope);
	expr_record(p, 0, 8, 0);
	for (int want = EXPR_AS_IS; want <= EXPR_AS_INT; want++)
		if (!expr_value(p, source, want, 0, &value, &err))
			check_error(&err, size);
	if (!expr_filter(p, source, 1, &err))
		check_error(&err, size);
	if (!expr_finish(p)) {
		const struct bpf_insn *code = expr_code(p, &n);

		look_at(code, n);
		expr_dump(&b, code, n);
	}
	expr_prog_free(p);
	if (expr_entries(&scope, source, entries, 4, &err) < 0)
		check_error(&err, size);
	text = memcpy(calloc(1, size + 1), data, size);
	if (expr_signature(types, expr_source(text), parsed, 8, &err) < 0)
		check_error(&err, size);
	expr_tracepoint(types, text, parsed, 8);
	expr_caret(&b, text, &err);
	buf_free(&b);
	free(text);
	return 0;
}
