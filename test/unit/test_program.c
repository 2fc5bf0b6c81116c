/* probe/program: from a probe's text to programs, without a kernel. */
#include <errno.h>
#include <string.h>

#include "fixture/expr.h"
#include "probe/program.h"

static struct programs programs;
static struct program program;
static struct expr_error err;

static int begin(void **state)
{
	expr_reset(state);
	programs = (struct programs){ 0 };
	return programs_init(&programs, CORPUS_BTF);
}

static int end(void **state)
{
	(void)state;
	program_free(&program);
	programs_free(&programs);
	return 0;
}

static void parsed(const char *text, const char *name, const char *signature, const char *rest)
{
	struct expr_source s;

	assert_int_equal(program_parse(&program, text, &err), 0);
	s = program.signature;
	assert_string_equal(program.spec.name, name);
	assert_int_equal(s.end - s.start, strlen(signature));
	assert_memory_equal(text + s.start, signature, strlen(signature));
	assert_int_equal(program.has_signature, strspn(signature, " ") != strlen(signature));
	assert_string_equal(text + program.end, rest);
	program_free(&program);
}

static void names_and_signatures(void **state)
{
	(void)state;
	parsed("work", "work", "", "");
	parsed("p::work():u32:size", "work", "", ":u32:size");
	parsed("r:c:read(int fd) ", "read", "int fd", " ");
	parsed("p::f( ):x", "f", " ", ":x");
	parsed("p::f(int (*call)(void), int n)#l", "f", "int (*call)(void), int n", "#l");
	assert_int_equal(program_parse(&program, "p::f(int (*call)(void)", &err), -EINVAL);
	assert_int_equal(err.pos, 4);
	assert_int_equal(program_parse(&program, "t:f", &err), -EINVAL);
	assert_int_equal(err.pos, 2);
}

static struct expr_value value;

/* The value of the expression, an integer, behind the faults. */
static bool make(struct program *p, u32 shape, struct expr_prog *code, void *ctx,
		 struct expr_error *e)
{
	assert_int_equal(shape, 0);
	expr_record(code, p->record, 8, 0);
	return expr_value(code, expr_source(ctx), EXPR_AS_INT, 0, &value, e);
}

static int compile(const char *text, char *expression)
{
	assert_int_equal(program_parse(&program, text, &err), 0);
	return program_resolve(&programs, &program, true, &err)
		       ?: !program_need(&program, expr_source(expression), &err)
			  ? -EINVAL
			  : program_compile(&programs, &program, make, expression, &err);
}

/* Maps keep their numbers in the machine; it has eight, so they are moved down to those. */
static u64 run(struct expr_prog *code, int record, int saved)
{
	const struct bpf_insn *insn;
	struct bpf_insn copy[256];
	u64 found = 0;
	u32 n;

	insn = expr_code(code, &n);
	assert_in_range(n, 1, 256);
	memcpy(copy, insn, n * sizeof(*insn));
	for (u32 i = 0; i < n; i++)
		if (copy[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			if (copy[i].src_reg == BPF_PSEUDO_MAP_FD)
				copy[i].imm = copy[i].imm == record  ? 0
					      : copy[i].imm == saved ? 2
								     : 1;
			i++;
		}
	vm_run(&vm, copy, n);
	memcpy(&found, (char *)vm.maps[0].value + value.offset, value.size);
	return found;
}

static u64 at_entry(const char *text, char *expression)
{
	u64 found;

	if (compile(text, expression))
		fail_msg("%s", err.text);
	assert_null(program.entry.code);
	assert_int_equal(program.nshapes, 1);
	found = run(program.shapes[0].code, program.record, -1);
	program_free(&program);
	return found;
}

static void parameters(void **state)
{
	(void)state;
	regs.di = 11;
	regs.si = 22;
	regs.dx = 0x1ff;
	assert_int_equal(at_entry("p::work()", "size + 1"), 23); /* by BTF */
	assert_int_equal(at_entry("p::work()", "(u64)small + 1"), 0);
	assert_int_equal(at_entry("p::work(int a, u8 b)", "b + a * 2"), 44);
	assert_int_equal(at_entry("p::work(int a)", "arg2"), 22);
	assert_int_equal(at_entry("p::unknown_to_btf()", "arg1 + arg2"), 33);
	assert_int_equal(at_entry("p::unknown_to_btf(long x, long y, int z)", "z"), 0x1ff);
	/* Behind the entry the registers are others'. */
	assert_int_equal(compile("p::work+4()", "size"), -EINVAL);
	program_free(&program);
	/* Signatures replace what BTF knows. */
	assert_int_equal(compile("p::work(int a)", "size"), -EINVAL);
	assert_string_equal(err.text, "nothing here is called 'size'");
	program_free(&program);
	assert_int_equal(compile("p::work(int a, nosuch *b)", "a"), -EINVAL);
	assert_int_equal(err.pos, 15);
	program_free(&program);
	assert_int_equal(compile("p::work(float a)", "1"), -EINVAL);
}

static void returns(void **state)
{
	(void)state;
	regs.ax = 7;
	assert_int_equal(at_entry("r::work()", "$retval + 1"), 8);
	assert_int_equal(compile("r::work()", "1 + size"), -EINVAL);
	assert_string_equal(err.text, "at the return parameters are gone: use $entry(size)");
	assert_int_equal(err.pos, 4);
	program_free(&program);
	assert_int_equal(compile("r::nothing()", "$retval"), -EINVAL);
	assert_string_equal(err.text, "the function returns nothing");
}

/* The entry saves, the return finds it. */
static void entry_and_latency(void **state)
{
	static u64 saved[8];

	(void)state;
	if (compile("r::work()",
		    "$entry(size) * 1000 + $entry(small + 1) + $latency + $entry(size)"))
		fail_msg("%s", err.text);
	assert_non_null(program.entry.code);
	assert_int_equal(program.nentries, 2);
	assert_true(program.latency);
	regs.si = 3;
	regs.dx = 20;
	vm.time = 5000;
	vm.maps[2].value = saved;
	vm.maps[2].size = expr_record_size(program.entry.code);
	assert_true(vm.maps[2].size <= sizeof(saved));
	run(program.entry.code, program.entry_record, program.saved_map);
	assert_int_equal(vm.maps[2].updates, 1);
	assert_int_equal(saved[1], 5000);
	regs.si = regs.dx = 99;
	vm.time = 5400;
	assert_int_equal(run(program.shapes[0].code, program.record, program.saved_map),
			 3000 + 21 + 400 + 3);
	assert_int_equal(vm.maps[2].deletes, 1);
	program_free(&program);
	/* Without need there is no program at the entry. */
	assert_int_equal(compile("r::work()", "$retval"), 0);
	assert_null(program.entry.code);
}

static void only_who_is_asked_for(void **state)
{
	struct bcc_filter filter = { .pids = { 2, { 1, 1234 } }, .tids = { 1, { 5678 } } };
	const struct bpf_insn *code;
	u32 before, n;

	(void)state;
	assert_int_equal(compile("p::work()", "size"), 0);
	expr_code(program.shapes[0].code, &before);
	program_free(&program);
	programs.filter = &filter;
	regs.si = 42;
	assert_int_equal(at_entry("p::work()", "size"), 42);
	filter.pids.id[1] = 1235;
	*(u64 *)((char *)vm.maps[0].value + value.offset) = 0;
	assert_int_equal(at_entry("p::work()", "size"), 0);
	assert_int_equal(compile("p::work()", "size"), 0);
	code = expr_code(program.shapes[0].code, &n);
	assert_non_null(code);
	assert_true(n > before);
}

static void dumped(void **state)
{
	struct buf b = {};

	(void)state;
	assert_int_equal(compile("r::work()", "$latency"), 0);
	program_dump(&program, &b);
	buf_chr(&b, '\0');
	assert_memory_equal(b.data, "entry: ", 7);
	assert_non_null(strstr(b.data, "\nwork: "));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_and_signatures, begin, end),
		cmocka_unit_test_setup_teardown(parameters, begin, end),
		cmocka_unit_test_setup_teardown(returns, begin, end),
		cmocka_unit_test_setup_teardown(entry_and_latency, begin, end),
		cmocka_unit_test_setup_teardown(only_who_is_asked_for, begin, end),
		cmocka_unit_test_setup_teardown(dumped, begin, end),
	};

	return cmocka_run_group_tests(tests, expr_setup, expr_teardown);
}
