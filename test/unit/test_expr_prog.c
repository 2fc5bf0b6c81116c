/* expr: the statements of a program, the text of its instructions. */
#include <errno.h>
#include <string.h>

#include "fixture/expr.h"

static struct expr_prog *p;
static struct expr_error err;

static int begin(void **state)
{
	expr_reset(state);
	p = expr_prog_new(&scope);
	return 0;
}

static int end(void **state)
{
	(void)state;
	expr_prog_free(p);
	return 0;
}

static void run(void)
{
	const struct bpf_insn *code;
	u32 n;

	assert_int_equal(expr_finish(p), 0);
	code = expr_code(p, &n);
	assert_int_equal(vm_run(&vm, code, n), 0);
}

static void header(void **state)
{
	struct {
		u64 faults, time, id, constant;
		u32 pid, tid, uid, cpu;
		char comm[16];
		u32 ids[2], again[2];
		int constant32, zero;
	} *h = vm.maps[0].value;

	(void)state;
	expr_record(p, 0, sizeof(*h), 0);
	expr_put_time(p, 8);
	expr_put_pid_tgid(p, 16);
	expr_put_const(p, 24, 0x123456789abcdef, 8);
	expr_put_pid(p, 32);
	expr_put_tid(p, 36);
	expr_put_uid(p, 40);
	expr_put_cpu(p, 44);
	expr_put_comm(p, 48);
	expr_put_ids(p, 64);
	scope.pidns_ino = 7;
	vm.ns_pid = 22;
	vm.ns_tgid = 11;
	expr_put_ids(p, 72);
	expr_put_const(p, 80, -5, 4);
	expr_put_const(p, 84, 0, 4);
	expr_output(p, 3, 1);
	run();
	assert_int_equal(h->faults, 0);
	assert_int_equal(h->time, 5000);
	assert_int_equal(h->id, vm.pid_tgid);
	assert_int_equal(h->constant, 0x123456789abcdef);
	assert_int_equal(h->pid, 1234);
	assert_int_equal(h->tid, 5678);
	assert_int_equal(h->uid, 1000);
	assert_int_equal(h->cpu, 3);
	assert_string_equal(h->comm, "tester");
	assert_int_equal(h->ids[0], 5678);
	assert_int_equal(h->ids[1], 1234);
	assert_int_equal(h->again[0], 22);
	assert_int_equal(h->again[1], 11);
	assert_int_equal(h->constant32, -5);
	assert_int_equal(vm.output_size, sizeof(*h));
	assert_memory_equal(vm.output, h, sizeof(*h));
}

static void values_and_their_faults(void **state)
{
	struct expr_value v[4];
	u8 *record = vm.maps[0].value;

	(void)state;
	expr_record(p, 0, 8, 0);
	assert_true(expr_value(p, expr_source("c->ints.s8"), EXPR_AS_IS, 0, &v[0], &err));
	assert_true(expr_value(p, expr_source("c->name"), EXPR_AS_TEXT, 20, &v[1], &err));
	assert_true(
		expr_value(p, expr_source("*c->ints_by_pointer[2]"), EXPR_AS_IS, 0, &v[2], &err));
	assert_true(expr_value(p, expr_source("c->points[3]"), EXPR_AS_IS, 0, &v[3], &err));
	run();
	assert_int_equal(*(u64 *)record, 1 << 2);
	assert_int_equal(*(signed char *)(record + v[0].offset), -100);
	assert_int_equal(v[0].size, 1);
	assert_true(v[0].is_signed);
	assert_string_equal((char *)record + v[1].offset, "a name");
	assert_int_equal(v[1].size, 20);
	assert_int_equal(*(int *)(record + v[2].offset), 0);
	assert_memory_equal(record + v[3].offset, &corpus.points[3], 8);
	assert_true(expr_record_size(p) >= v[3].offset + 8);
	assert_int_equal(expr_record_size(p) % 8, 0);
}

static void only_some_tasks(void **state)
{
	u64 *record = vm.maps[0].value;
	static const u32 pids[] = { 4, 1234, 1235 }, tid = 5678, uid = 1000;

	(void)state;
	expr_only(p, EXPR_PID, pids, 3);
	expr_only(p, EXPR_TID, &tid, 1);
	expr_only(p, EXPR_UID, &uid, 1);
	expr_only(p, EXPR_UID, NULL, 0);
	expr_not(p, EXPR_PID, 1235);
	expr_record(p, 0, 16, 0);
	expr_put_const(p, 8, 1, 8);
	run();
	assert_int_equal(record[1], 1);
	for (int i = 0; i < 4; i++) {
		u64 pid_tgid = vm.pid_tgid, uid_gid = vm.uid_gid;

		record[1] = 0;
		vm.pid_tgid = i == 0   ? 1233ull << 32 | 5678
			      : i == 1 ? 1234ull << 32 | 5677
			      : i == 2 ? 1235ull << 32 | 5678
				       : pid_tgid;
		vm.uid_gid = i == 3 ? 1001 : uid_gid;
		run();
		assert_int_equal(record[1], 0);
		vm.pid_tgid = pid_tgid;
		vm.uid_gid = uid_gid;
	}
}

static void counted(void **state)
{
	struct expr_value v;
	u64 count = 41;

	(void)state;
	vm.maps[2].value = &count;
	vm.maps[2].size = 8;
	expr_record(p, 0, 8, 0);
	assert_true(expr_value(p, expr_source("c->word"), EXPR_AS_INT, 0, &v, &err));
	expr_count(p, 2, v.offset, 1);
	run();
	assert_int_equal(count, 42);
	run();
	assert_int_equal(count, 43);
	assert_int_equal(vm.maps[2].updates, 0);
	vm.maps[2].value = NULL; /* no such key, and no room for it */
	vm.maps[2].size = 0;
	run();
	assert_int_equal(vm.maps[2].updates, 1);
	assert_int_equal(*(u32 *)vm.maps[2].key, 0x89abcdef);
	assert_int_equal(*(u64 *)vm.maps[1].value, 1); /* lost */
}

static void powers_of_two(void **state)
{
	static const struct {
		u64 v, log2;
	} cases[] = { { 0, 0 },   { 1, 1 },   { 2, 2 },     { 3, 2 },           { 4, 3 },
		      { 255, 8 }, { 256, 9 }, { 1023, 10 }, { 1ull << 32, 33 }, { -1ull, 64 } };
	u64 *record = vm.maps[0].value;
	struct expr_value v;

	(void)state;
	expr_record(p, 0, 8, 0);
	assert_true(expr_value(p, expr_source("arg2"), EXPR_AS_INT, 0, &v, &err));
	expr_log2(p, v.offset);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		regs.si = cases[i].v;
		run();
		assert_int_equal(record[v.offset / 8], cases[i].log2);
	}
}

static const struct expr_type *type_of(const char *name)
{
	return expr_type_parse(types, expr_source(name), &err);
}

static void keys(void **state)
{
	struct expr_value v[4];
	char *record = vm.maps[0].value;

	(void)state;
	expr_record(p, 0, 8, 0);
	assert_true(expr_key(p, expr_source("arg2"), type_of("u8"), 0, &v[0], &err));
	assert_true(expr_key(p, expr_source("c->name"), type_of("char *"), 20, &v[1], &err));
	assert_true(expr_key(p, expr_source("arg2"), type_of("struct corpus *"), 0, &v[2], &err));
	assert_true(expr_key(p, expr_source("$COMM"), type_of("char *"), 4, &v[3], &err));
	assert_false(expr_key(p, expr_source("c"), type_of("struct corpus"), 0, &v[3], &err));
	assert_string_equal(err.text, "this can be taken as a number, a pointer or a string only");
	assert_int_equal(v[0].size, 1);
	assert_int_equal(v[1].size, 20);
	assert_int_equal(v[2].kind, EXPR_POINTER);
	assert_int_equal(v[3].size, 16); /* it is written whole */
	regs.si = 0x1ff;
	memset(record + 8, 'x', expr_record_size(p) - 8);
	run();
	assert_int_equal((u8)record[v[0].offset], 0xff);
	assert_memory_equal(record + v[1].offset, "a name\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	assert_int_equal(*(u64 *)(record + v[2].offset), 0x1ff);
	assert_string_equal(record + v[3].offset, "tester");
}

static void buckets(void **state)
{
	static const struct {
		u64 v;
		s64 as_signed, as_unsigned, as_int, linear;
	} cases[] = {
		{ 0, 0, 0, 0, 0 },
		{ 5, 3, 3, 3, 5 },
		{ -1ull, -1, 64, -1, -1 },
		{ 1ull << 63 | 1, -1, 64, 1, (s64)(1ull << 63 | 1) },
	};
	struct expr_value v[4];
	s64 *record = vm.maps[0].value;
	struct expr_source arg = expr_source("arg2");

	(void)state;
	expr_record(p, 0, 8, 0);
	assert_true(expr_bucket(p, arg, type_of("s64"), true, &v[0], &err));
	assert_true(expr_bucket(p, arg, type_of("u64"), true, &v[1], &err));
	assert_true(expr_bucket(p, arg, type_of("int"), true, &v[2], &err));
	assert_true(expr_bucket(p, arg, type_of("s64"), false, &v[3], &err));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		regs.si = cases[i].v;
		run();
		assert_int_equal(record[v[0].offset / 8], cases[i].as_signed);
		assert_int_equal(record[v[1].offset / 8], cases[i].as_unsigned);
		assert_int_equal(record[v[2].offset / 8], cases[i].as_int);
		assert_int_equal(record[v[3].offset / 8], cases[i].linear);
	}
}

/* The array of maps (5) says that it is map 2 which counts. */
static void counted_in_the_map_of_the_day(void **state)
{
	u64 count = 41;

	(void)state;
	vm.maps[2].value = &count;
	vm.maps[2].size = 8;
	vm.maps[5].value = (void *)2ul;
	expr_record(p, 0, 16, 0);
	expr_put_const(p, 8, 7, 8);
	expr_count_in(p, 5, 8, 1);
	run();
	assert_int_equal(count, 42);
	assert_int_equal(vm.maps[5].lookups, 1);
	vm.maps[2].value = NULL;
	vm.maps[2].size = 0;
	run();
	assert_int_equal(vm.maps[2].updates, 1);
	assert_memory_equal(vm.maps[2].key, &(u64){ 7 }, 8);
	assert_int_equal(*(u64 *)vm.maps[1].value, 1); /* lost */
}

static void only_what_a_map_has(void **state)
{
	u64 *record = vm.maps[0].value, there = 1;

	(void)state;
	assert_true(expr_only_in(p, expr_source("arg2 + 1"), 2, &err));
	expr_record(p, 0, 16, 0);
	expr_put_const(p, 8, 1, 8);
	vm.maps[2].value = &there;
	vm.maps[2].size = 8;
	run();
	assert_int_equal(record[1], 1);
	record[1] = 0;
	vm.maps[2].value = NULL;
	run();
	assert_int_equal(record[1], 0);
}

/* What was saved is deleted however the program ends, and only if there was something. */
static void forgotten(void **state)
{
	u64 saved[2] = {};

	(void)state;
	expr_saved(p, 2);
	assert_true(expr_filter(p, expr_source("arg2 == 1"), -1, &err));
	expr_record(p, 0, 8, 0);
	run();
	assert_int_equal(vm.maps[2].deletes, 0);
	vm.maps[2].value = saved;
	vm.maps[2].size = sizeof(saved);
	vm.maps[0].lookups = 0;
	regs.si = 2;
	run();
	assert_int_equal(vm.maps[0].lookups, 0);
	assert_int_equal(vm.maps[2].deletes, 1);
	regs.si = 1;
	run();
	assert_int_equal(vm.maps[0].lookups, 1);
	assert_int_equal(vm.maps[2].deletes, 2);
}

/* A pointer that was saved leads to the process's memory, also at the return. */
static void string_by_a_saved_pointer(void **state)
{
	static struct expr_saved saved = {
		.value = { .kind = EXPR_POINTER, .size = 8, .offset = 16 }
	};
	const char *string = "a string";
	u64 entry[3] = { 0, 0, (u64)string };
	struct expr_value v;
	struct expr_name name;

	(void)state;
	assert_int_equal(expr_signature(types, expr_source("(char __user *s)"), &name, 1, &err), 1);
	saved.source = expr_source("s");
	saved.value.type = name.type;
	scope.saved = &saved;
	scope.nsaved = 1;
	vm.strict = true;
	vm.maps[2].value = entry;
	vm.maps[2].size = sizeof(entry);
	expr_saved(p, 2);
	assert_true(expr_filter(p, expr_source("$entry(s) == \"a string\""), -1, &err));
	expr_record(p, 0, 8, 0);
	assert_true(expr_value(p, expr_source("$entry(s)"), EXPR_AS_TEXT, 20, &v, &err));
	run();
	assert_int_equal(*(u64 *)vm.maps[0].value, 0);
	assert_string_equal((char *)vm.maps[0].value + v.offset, string);
}

/* A whole struct, of which as much is taken as is asked for; named with all that is between. */
static void struct_of_the_entry(void **state)
{
	static const char source[] = "$entry((*(c)))";
	struct {
		u64 faults, unused;
		struct corpus corpus;
	} entry = {};
	static struct expr_saved saved;
	struct expr_source found[2];
	struct expr_value v;

	(void)state;
	corpus.word = 0x12345678;
	entry.corpus = corpus;
	corpus.word = 0;
	assert_int_equal(expr_entries(&scope, expr_source(source), found, 2, &err), 1);
	assert_int_equal(found[0].end - found[0].start, strlen("(*(c))"));
	saved.source = found[0];
	saved.value = (struct expr_value){ .kind = EXPR_BYTES, .offset = 16, .size = 64 };
	saved.value.type = expr_type_parse(types, expr_source("struct corpus"), &err);
	scope.saved = &saved;
	scope.nsaved = 1;
	vm.maps[2].value = &entry;
	vm.maps[2].size = sizeof(entry);
	expr_saved(p, 2);
	expr_record(p, 0, 8, 0);
	assert_true(expr_value(p, expr_source(source), EXPR_CUT, 64, &v, &err));
	assert_int_equal(v.kind, EXPR_BYTES);
	assert_int_equal(v.size, 64);
	run();
	assert_int_equal(*(u64 *)vm.maps[0].value, 0);
	assert_memory_equal((char *)vm.maps[0].value + v.offset, &entry.corpus, 64);
}

static void limited(void **state)
{
	u64 passed = 0, *record = vm.maps[0].value;

	(void)state;
	vm.maps[2].value = &passed;
	vm.maps[2].size = 8;
	expr_limit(p, 2, 3);
	expr_record(p, 0, 16, 0);
	expr_put_const(p, 8, 1, 8);
	for (int i = 0; i < 5; i++) {
		record[1] = 0;
		run();
		assert_int_equal(record[1], i < 3);
	}
}

static void too_long(void **state)
{
	struct expr_value v;
	bool ok = true;

	(void)state;
	expr_record(p, 0, 8, 0);
	for (int i = 0; i < 7; i++)
		assert_true(expr_value(p, expr_source("c->name"), EXPR_AS_TEXT, 4096, &v, &err));
	assert_false(expr_value(p, expr_source("c->name"), EXPR_AS_TEXT, 4096, &v, &err));
	assert_string_equal(err.text, "these values are too long together");
	assert_false(expr_value(p, expr_source("*(struct corpus (*)[99])arg1"), EXPR_AS_IS, 0, &v,
				&err));
	for (int i = 0; i < 2000 && ok; i++)
		ok = expr_filter(p, expr_source("c->matrix[arg1][arg2] / c->numbers[arg1] == 1"), 1,
				 &err);
	assert_false(ok);
	assert_string_equal(err.text, "the expression is too long");
	assert_int_equal(expr_finish(p), -E2BIG);
}

static void as_text(void **state)
{
	const struct bpf_insn *code;
	struct buf b = {};
	u32 n;

	(void)state;
	assert_true(
		expr_filter(p, expr_source("(int)arg2 < 5 && c->word == 0x123456789a"), -1, &err));
	assert_int_equal(expr_finish(p), 0);
	code = expr_code(p, &n);
	expr_dump(&b, code, n);
	buf_chr(&b, '\0');
	assert_string_equal(b.data, "   0: r6 = r1\n"
				    "   1: r0 = *(u64 *)(r6 + 104)\n"
				    "   2: if w0 s>= 5 goto 14\n"
				    "   3: r3 = *(u64 *)(r6 + 112)\n"
				    "   4: r3 += 216\n"
				    "   5: r1 = r10\n"
				    "   6: r1 += -8\n"
				    "   7: r2 = 4\n"
				    "   8: call probe_read_kernel\n"
				    "   9: if r0 != 0 goto 14\n"
				    "  10: r0 = *(u32 *)(r10 - 8)\n"
				    "  11: r1 = 0x123456789a ll\n"
				    "  13: if r0 != r1 goto 14\n"
				    "  14: r0 = 0\n"
				    "  15: exit\n");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(header, begin, end),
		cmocka_unit_test_setup_teardown(values_and_their_faults, begin, end),
		cmocka_unit_test_setup_teardown(only_some_tasks, begin, end),
		cmocka_unit_test_setup_teardown(counted, begin, end),
		cmocka_unit_test_setup_teardown(powers_of_two, begin, end),
		cmocka_unit_test_setup_teardown(keys, begin, end),
		cmocka_unit_test_setup_teardown(buckets, begin, end),
		cmocka_unit_test_setup_teardown(counted_in_the_map_of_the_day, begin, end),
		cmocka_unit_test_setup_teardown(only_what_a_map_has, begin, end),
		cmocka_unit_test_setup_teardown(forgotten, begin, end),
		cmocka_unit_test_setup_teardown(string_by_a_saved_pointer, begin, end),
		cmocka_unit_test_setup_teardown(struct_of_the_entry, begin, end),
		cmocka_unit_test_setup_teardown(limited, begin, end),
		cmocka_unit_test_setup_teardown(too_long, begin, end),
		cmocka_unit_test_setup_teardown(as_text, begin, end),
	};

	return cmocka_run_group_tests(tests, expr_setup, expr_teardown);
}
