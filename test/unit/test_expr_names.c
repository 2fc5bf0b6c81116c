/* expr: what the probe and the language give names to: builtins, signatures, formats, BTF, macros.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "fixture/expr.h"
#include "operand.h"
#include "util.h"

static void builtins(void **state)
{
	(void)state;
	is_number("$PID", 1234);
	is_number("$TGID", 1234);
	is_number("$tgid", 1234);
	is_number("$TID", 5678);
	is_number("$pid", 5678); /* trace's, as BCC has it: a thread */
	is_number("$UID", 1000);
	is_number("$uid", 1000);
	is_number("$GID", 100);
	is_number("$gid", 100);
	is_number("$CPU", 3);
	is_number("$cpu + 1", 4);
	is_number("$ktime", 5000);
	is_number("$PID == 1234 && $UID == 1000", 1);
	vm.task = (u64)&corpus;
	is_number("$task == arg1", 1);
	is_number("((struct corpus *)$task)->word", 0x89abcdef);
	scope.pidns_ino = 7;
	vm.ns_pid = 22;
	vm.ns_tgid = 11;
	is_number("$PID", 11);
	is_number("$TID", 22);
}

static void return_value(void **state)
{
	struct expr_name ret = { .type = expr_type_int(types, 4, true),
				 .place = expr_place_ret(scope.arch) };
	struct expr_error err;

	(void)state;
	is_error("retval", "retval", "there is no return value but where a function returns (r:)");
	scope.retval = &ret;
	is_number("retval", 77);
	is_number("$retval * 2", 154);
	regs.ax = -2ul;
	is_number("retval", -2);
	is_number("retval < 0", 1);
	ret.type = expr_type_parse(types, expr_source("struct corpus *"), &err);
	regs.ax = (u64)&corpus;
	is_number("$retval->word", 0x89abcdef);
	ret.type = expr_type_parse(types, expr_source("void"), &err);
	is_error("retval", "retval", "the function returns nothing");
}

/* Two programs: what one saves at the entry, the other finds at the return. */
static void entry_and_latency(void **state)
{
	static const char source[] = "$entry(c->word) + $entry(arg2) + $latency";
	struct expr_prog *p = expr_prog_new(&scope);
	struct expr_source entries[4];
	struct expr_saved saved[4] = {};
	struct expr_error err;
	const struct bpf_insn *code;
	u64 stored[32] = {};
	u32 n;

	(void)state;
	assert_int_equal(expr_entries(&scope, expr_source(source), entries, 4, &err), 2);
	assert_true(expr_latency(expr_source(source)));
	assert_false(expr_latency(expr_source("$entry(x)")));
	vm.maps[2].value = stored;
	expr_record(p, 0, 16, 0);
	expr_put_time(p, 8);
	for (int i = 0; i < 2; i++) {
		saved[i].source = entries[i];
		assert_true(expr_value(p, entries[i], EXPR_AS_INT, 0, &saved[i].value, &err));
	}
	vm.maps[2].size = expr_record_size(p);
	expr_save(p, 2, 1);
	assert_int_equal(expr_finish(p), 0);
	code = expr_code(p, &n);
	vm_run(&vm, code, n);
	expr_prog_free(p);
	assert_int_equal(vm.maps[2].updates, 1);
	assert_memory_equal(vm.maps[2].key, &vm.pid_tgid, 8);

	corpus.word = 1;
	regs.si = 99;
	vm.time = 5400;
	scope.saved = saved;
	scope.nsaved = 2;
	scope.latency = 8;
	p = expr_prog_new(&scope);
	expr_saved(p, 2);
	expr_record(p, 0, 8, 0);
	if (!expr_value(p, expr_source(source), EXPR_AS_IS, 0, &result.value, &err))
		fail_msg("%s", err.text);
	assert_int_equal(expr_finish(p), 0);
	code = expr_code(p, &n);
	vm_run(&vm, code, n);
	assert_int_equal(((u64 *)vm.maps[0].value)[0], 0);
	assert_int_equal(*(u64 *)((char *)vm.maps[0].value + result.value.offset),
			 0x89abcdefu + 2 + 400);
	assert_int_equal(vm.maps[2].deletes, 1);
	stored[0] = 1ull << saved[1].value.fault; /* the second was not known */
	vm_run(&vm, code, n);
	assert_int_equal(((u64 *)vm.maps[0].value)[0], 1);
	vm.maps[2].value = NULL; /* nothing saved: the program ends */
	vm.maps[0].lookups = 0;
	vm_run(&vm, code, n);
	assert_int_equal(vm.maps[0].lookups, 0);
	expr_prog_free(p);
	is_error("$entry(arg3)", "$entry(arg3)",
		 "nothing was saved at an entry, but where a function returns (r:)");
}

static void signatures(void **state)
{
	struct expr_name names[8];
	struct expr_error err = {};
	const char *text = "(struct corpus *c, size_t size, char small, const char __user *s, "
			   "u32 numbers[4], int (*fn)(int, long), long seventh)";
	int n = expr_signature(types, expr_source(text), names, 8, &err);

	(void)state;
	assert_int_equal(n, 7);
	assert_true(expr_place_args(scope.arch, names, n));
	scope.names = names;
	scope.nnames = n;
	regs.si = 1ull << 40;
	regs.dx = 0x1fe;
	regs.cx = (u64) "text";
	regs.r8 = (u64)corpus.numbers;
	is_number("size", 1l << 40);
	is_number("small", -2);
	is_number("s == \"text\"", 1);
	is_number("numbers[3]", 13);
	is_number("c->word", 0x89abcdef);
	regs.sp = (u64)(u64[]){ 0, 0x123456789, 0 };
	is_number("seventh", 0x123456789);
	assert_int_equal(expr_signature(types, expr_source("void"), names, 8, &err), 0);
	assert_int_equal(expr_signature(types, expr_source("(void)"), names, 8, &err), 0);
	assert_int_equal(expr_signature(types, expr_source("()"), names, 8, &err), 0);
	assert_int_equal(
		expr_signature(types, expr_source("int a, unsigned long long b"), names, 8, &err),
		2);
	assert_int_equal(expr_signature(types, expr_source("int"), names, 8, &err), 1);
	assert_int_equal(expr_signature(types, expr_source("(int fmt, ...)"), names, 8, &err), 1);
	assert_int_equal(expr_signature(types, expr_source("(int a, int b)"), names, 1, &err), -1);
	assert_string_equal(err.text, "these are too many parameters");
	assert_int_equal(expr_signature(types, expr_source("(struct corpse *c)"), names, 8, &err),
			 -1);
	assert_string_equal(err.text, "there is no struct corpse; did you mean 'corpus'?");
	assert_int_equal(err.pos, 8);
	assert_int_equal(expr_signature(types, expr_source("(size_tt x)"), names, 8, &err), -1);
	assert_string_equal(err.text, "there is no type 'size_tt'; did you mean 'size_t'?");
	assert_int_equal(expr_signature(types, expr_source("(int x"), names, 8, &err), -1);
	assert_string_equal(err.text, "')' is missing here");
}

static void functions(void **state)
{
	struct expr_name names[8];
	const struct expr_type *ret;
	int n = expr_function(types, "work", names, 8, &ret);

	(void)state;
	assert_int_equal(n, 4);
	assert_int_equal(expr_type_size(ret), 4);
	assert_string_equal(names[1].name, "size");
	assert_true(expr_place_args(scope.arch, names, n));
	scope.names = names;
	scope.nnames = n;
	is_number("c->nested.inner + size", 44);
	assert_int_equal(expr_function(types, "no_such", names, 8, &ret), -ENOENT);
	assert_int_equal(expr_function(types, "corpus", names, 8, &ret), -ENOENT);

	n = expr_function(types, "nothing", names, 8, &ret);
	assert_int_equal(n, 2);
	assert_null(ret);
	expr_place_args(scope.arch, names, n);
	scope.nnames = n;
	regs.di = 0xffffffff00000123;
	is_number("by_value.val", 0x123);
	assert_int_equal(expr_function(types, "wide_first", names, 8, &ret), 2);
	assert_false(expr_place_args(scope.arch, names, 2)); /* in memory, by the ABI */

	n = expr_tracepoint_btf(types, "happened", names, 8);
	assert_int_equal(n, 2);
	assert_string_equal(names[0].name, "c");
}

/* A context of 64-bit words, as fentry has. */
static void words(void **state)
{
	u64 context[] = { (u64)&corpus, 77, 0xfffffffffffffffd, (u64) "name", 5 };
	struct expr_name names[8], ret = { .type = expr_type_int(types, 4, true) };
	int n = expr_function(types, "work", names, 8, NULL);

	(void)state;
	assert_true(expr_place_words(names, n));
	scope.names = names;
	scope.nnames = n;
	vm.context = context;
	vm.context_size = sizeof(context);
	is_number("c->word + size", 0x89abcdefl + 77);
	is_number("small", -3);
	is_number("name == \"name\"", 1);
	ret.place = (struct expr_place){ .at = EXPR_AT_CONTEXT, .offset = 32, .size = 8 };
	scope.retval = &ret;
	is_number("retval", 5);
}

static const char format[] = "name: happened\nID: 123\nformat:\n"
			     "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
			     "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
			     "\tfield:const char * text;\toffset:8;\tsize:8;\tsigned:0;\n"
			     "\tfield:char comm[16];\toffset:16;\tsize:16;\tsigned:0;\n"
			     "\tfield:__data_loc char[] file;\toffset:32;\tsize:4;\tsigned:0;\n"
			     "\tfield:short small;\toffset:36;\tsize:2;\tsigned:1;\n"
			     "\tfield:u8 byte;\toffset:38;\tsize:1;\tsigned:0;\n"
			     "\tfield:unsigned long args[3];\toffset:40;\tsize:24;\tsigned:0;\n"
			     "\tfield:struct corpus * c;\toffset:64;\tsize:8;\tsigned:0;\n"
			     "\tfield:enum no_such_enum state;\toffset:72;\tsize:4;\tsigned:1;\n"
			     "\tfield:pid_t pid;\toffset:76;\tsize:4;\tsigned:1;\n"
			     "\tfield:__u8 saddr_v6[16];\toffset:80;\tsize:16;\tsigned:0;\n\n"
			     "print fmt: \"%s\", REC->text\n";

static void tracepoints(void **state)
{
	struct __attribute__((packed)) {
		u64 common;
		const char *text;
		char comm[16];
		u32 file;
		short small;
		u8 byte, pad;
		u64 args[3];
		struct corpus *c;
		int state, pid;
		u8 saddr_v6[16];
		char tail[8];
	} event = { 0,           "text",  "comm", 6 << 16 | 96, -5,           200,     0,
		    { 7, 8, 9 }, &corpus, -1,     42,           { [15] = 1 }, "a file" };
	struct expr_name fields[16];
	int n = expr_tracepoint(types, format, fields, 16);

	(void)state;
	assert_int_equal(n, 10);
	scope.names = NULL;
	scope.nnames = 0;
	scope.fields = fields;
	scope.nfields = n;
	vm.context = &event;
	vm.context_size = sizeof(event);
	is_number("args->small", -5);
	is_number("args->byte", 200);
	assert_int_equal(vm.calls, 0);
	is_number("args->args[1]", 8);
	assert_int_equal(vm.calls, 0);
	is_number("args->args[args->pid - 40]", 9);
	is_number("args->state", -1);
	is_number("args->pid", 42);
	is_number("args->c->word", 0x89abcdef);
	is_text("args->text", "text");
	is_text("args->comm", "comm");
	is_text("args->file", "a file");
	is_number("args->comm == \"comm\"", 1);
	is_number("args->file == \"a file\"", 1);
	is_number("args->file == \"a fil\"", 0);
	is_number("args->text == \"text\"", 1);
	is_number("args->saddr_v6[15]", 1);
	eval("args->comm");
	assert_int_equal(result.value.kind, EXPR_STRING);
	eval("args->saddr_v6");
	assert_int_equal(result.value.size, 16);
	is_error("args->smal", "smal", "the tracepoint has no field 'smal'; did you mean 'small'?");
	is_error("small", "small", "fields of a tracepoint are written args->small");
	is_error("args", "args", "choose a field of args, as args->text");
	assert_int_equal(expr_tracepoint(types, "name: none\n", fields, 16), -EINVAL);
}

/* Operands of USDT probes. */
static void operands(void **state)
{
	u32 memory[8] = { 0, 10, 20, 30, 0xfffffff6, 50 };
	static const char *const texts[] = { "-4@$-7", "-4@%esi", "-4@16(%rdi)", "4@4(%rdi,%rsi,4)",
					     "-1@%dl", "2@%dx",   "1@%dh" };
	struct expr_name names[7];
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		static char called[][5] = {
			"arg1", "arg2", "arg3", "arg4", "arg5", "arg6", "arg7"
		};
		struct operand o;

		assert_true(operand_parse(&o, EM_X86_64, texts[i], strlen(texts[i]), &why));
		names[i] = (struct expr_name){ .name = called[i] };
		expr_operand(types, &o, &names[i]);
	}
	(void)state;
	scope.names = names;
	scope.nnames = ARRAY_SIZE(texts);
	scope.space = EXPR_SPACE_USER;
	regs.di = (u64)memory;
	regs.si = 2;
	regs.dx = 0x12345fe;
	is_number("arg1", -7);
	is_number("arg2", 2);
	is_number("arg3", -10);
	assert_int_equal(vm.user_reads, 1);
	is_number("arg4", 30);
	is_number("arg5", -2);
	is_number("arg6", 0x45fe);
	is_number("arg7", 0x45);
	is_number("arg3 + arg4 * (arg5 + arg3)", (s64)(-10 + 30u * -12u));
	vm.fault_from = (u64)memory;
	vm.fault_to = vm.fault_from + sizeof(memory);
	is_fault("arg3");
}

static void macros(void **state)
{
	static const char header[] = "#define ONE 1\n"
				     "  #  define TWO (ONE + /* one */ ONE) // and that is it\n"
				     "#define LONG 1 + \\\n  2\n"
				     "#define ONE 7\n"
				     "#define F(x) x\n"
				     "#define NOTHING\n"
				     "#define SELF SELF + 1\n"
				     "#define PING PONG\n"
				     "#define PONG PING\n"
				     "#define inner_of nested.inner\n"
				     "#define BROKEN )(\n"
				     "#define c 5\n"
				     "#include <no/such/header.h>\n"
				     "#define TEXT \"hel/*l*/o\"\n"
				     "int x; char *y = \"#define NO 1\";\n";
	struct expr_macros *m = expr_macros_new();

	(void)state;
	expr_macros_text(m, header, sizeof(header) - 1);
	scope.macros = m;
	is_number("ONE", 1);
	is_number("TWO * 2", 4);
	is_number("LONG * 2", 5);
	is_number("c->inner_of", 42);
	is_number("TEXT == c->name", 0);
	is_error("NO", "NO", "nothing here is called 'NO'");
	is_error("1 + BROKEN", "BROKEN", "a value was expected here");
	is_error("SELF", "SELF", "nothing here is called 'SELF'");
	is_error("PING", "PING", "nothing here is called 'PING'");
	is_error("2 + F", "F", "nothing here is called 'F'");
	expr_macros_free(m);
	m = expr_macros_new();
	assert_int_equal(expr_macros_read(m, "asm-generic/errno-base.h"), 0);
	assert_int_equal(expr_macros_read(m, "linux/errno.h"), 0);
	assert_int_equal(expr_macros_read(m, "no/such.h"), -ENOENT);
	scope.macros = m;
	is_number("-EAGAIN", -11);
	is_number("EINPROGRESS", 115); /* of a header that is included */
	expr_macros_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(builtins, expr_reset),
		cmocka_unit_test_setup(return_value, expr_reset),
		cmocka_unit_test_setup(entry_and_latency, expr_reset),
		cmocka_unit_test_setup(signatures, expr_reset),
		cmocka_unit_test_setup(functions, expr_reset),
		cmocka_unit_test_setup(words, expr_reset),
		cmocka_unit_test_setup(tracepoints, expr_reset),
		cmocka_unit_test_setup(operands, expr_reset),
		cmocka_unit_test_setup(macros, expr_reset),
	};

	return cmocka_run_group_tests(tests, expr_setup, expr_teardown);
}
