/* expr: members, pointers, arrays, bit fields; reads that fault, and whose memory is read. */
#include "fixture/expr.h"

static void members(void **state)
{
	(void)state;
	is_number("c->nested.inner", 42);
	is_number("c->nested.deep.deepest", -43);
	is_number("c->word", 0x89abcdef);
	is_number("c->low", 0xcdef);
	is_number("c->high", 0x89ab);
	is_number("c->bytes[3]", 0x89);
	is_number("(*c).nested.inner", 42);
	is_number("(&c->nested)->inner", 42);
	is_number("c->self->self->nested.inner", 42);
	is_number("c->node->next->next->value", -30);
	is_number("c->node->next->at.y", 4);
	is_number("((struct corpus *)arg1)->nested.inner", 42);
	is_number("((struct corpus *)c->anything)->word", 0x89abcdef);
	is_number("c->self == c", 1);
	is_number("c->self != arg1", 0);
	is_number("c->node == 0", 0);
	is_number("c->node->next->next->next == 0", 1);
	is_number("!c->node->next->next->next", 1);
	is_number("c->function != 0", 1);
	is_number("sizeof(*c)", sizeof(struct corpus));
	is_number("sizeof(struct corpus)", sizeof(struct corpus));
	is_number("sizeof(c)", 8);
	is_number("sizeof c->points", sizeof(corpus.points));
	is_number("sizeof(c->points) / sizeof(c->points[0])", 4);
	is_number("sizeof(c->nested)", sizeof(corpus.nested));
	is_number("sizeof(struct node *)", 8);
}

static void a_field_is_one_call(void **state)
{
	(void)state;
	is_number("c->nested.inner", 42);
	assert_int_equal(vm.calls, 1);
	assert_int_equal(vm.kernel_reads, 1);
	is_number("c->self->nested.inner", 42);
	assert_int_equal(vm.calls, 2);
	is_number("c->points[2].y", 6);
	assert_int_equal(vm.calls, 1);
	is_number("&c->self->nested.inner - (int *)c->self > 0", 1);
	assert_int_equal(vm.calls, 2);
	is_number("arg2 * 2 + 1", 5);
	assert_int_equal(vm.calls, 0);
}

static void pointers(void **state)
{
	(void)state;
	is_number("*c->ints_by_pointer[0]", 11);
	is_number("*c->ints_by_pointer[1]", -17);
	is_number("**c->ints_by_pointer", 11);
	is_number("c->ints_by_pointer[0][1]", 12);
	is_number("*(c->ints_by_pointer[0] + 1)", 12);
	is_number("*(c->ints_by_pointer[0] + c->index)", 13);
	is_number("*(1 + c->ints_by_pointer[0])", 12);
	is_number("*(c->ints_by_pointer[1] - c->index)", 15);
	is_number("c->ints_by_pointer[1] - c->ints_by_pointer[0]", 6);
	is_number("c->ints_by_pointer[0] - c->ints_by_pointer[1]", -6);
	is_number("c->ints_by_pointer[0] < c->ints_by_pointer[1]", 1);
	is_number("&c->points[3] - &c->points[1]", 2);
	is_number("(u64)&c->points[1] - (u64)&c->points[0]", 8);
	is_number("&c->points[1] == c->points + 1", 1);
	is_number("(&c->points[1])->x", 3);
	is_number("(c->points + 1)->y", 4);
	is_number("&*c == c", 1);
	is_number("*&c->word", 0x89abcdef);
	is_number("*(u8 *)&c->word", 0xef);
	is_number("((u8 *)&c->word)[1]", 0xcd);
	is_number("*(u16 *)((char *)&c->word + 2)", 0x89ab);
	is_number("(u64)c == arg1", 1);
	is_number("(long)&((struct corpus *)0)->word", __builtin_offsetof(struct corpus, word));
}

static void arrays(void **state)
{
	(void)state;
	is_number("c->numbers[0]", 10);
	is_number("c->numbers[7]", -17);
	is_number("*c->numbers", 10);
	is_number("c->numbers[c->index]", 12);
	is_number("c->numbers[arg3 + 1]", 14);
	is_number("c->numbers[c->numbers[0] - 5]", 15);
	is_number("c->points[c->index].x", 5);
	is_number("c->points[c->index + 1].y", -8);
	is_number("c->matrix[1][2]", 8);
	is_number("c->matrix[c->index][arg2 + 2]", 15);
	is_number("c->matrix[arg2][0] + c->matrix[0][arg2]", 14);
	is_number("c->array[2].s64", -9);
	is_number("c->array[c->index].s8", -3);
	is_number("(c->array + 1)->u32", 8);
	is_number("c->text[1]", 'e');
	is_number("c->name[2]", 'n');
	is_number("(&c->numbers[4])[-1]", 13);
	is_number("c->numbers[(char)-1 + 1]", 10);
}

static void bit_fields(void **state)
{
	(void)state;
	is_number("c->bits.a", 1);
	is_number("c->bits.b", 5);
	is_number("c->bits.c", 0xabc);
	is_number("c->bits.d", 0xbeef);
	is_number("c->bits.sa", -1);
	is_number("c->bits.sb", -13);
	is_number("c->bits.sc", -400000);
	is_number("c->bits.small", 100);
	is_number("c->bits.ssmall", -20);
	is_number("c->bits.middle", 5000);
	is_number("c->bits.big", 0x7abcdef0);
	is_number("c->bits.bigger", 0x1abcdef01);
	is_number("c->bits.color == BLUE", 1);
	is_number("c->packed.first", 0xff);
	is_number("c->packed.a", 21);
	is_number("c->packed.b", 100000000);
	is_number("c->packed.c", -500000000);
	is_number("c->packed.last", 0xdeadbeef);
	is_number("c->bits.b - 6 < 0", 1); /* as int, by its width */
	is_number("-c->bits.d", -0xbeef);
	is_number("c->bits.a == 1 && c->bits.sb < 0", 1);
	is_error("&c->bits.a", "&c->bits.a", "a bit field has no address");
	is_error("sizeof(c->bits.a)", "sizeof(c->bits.a)", "a bit field has no size in bytes");
}

static void faults(void **state)
{
	(void)state;
	vm.fault_from = (u64)&corpus.nested;
	vm.fault_to = vm.fault_from + sizeof(corpus.nested);
	is_fault("c->nested.inner");
	assert_int_equal(result.number, 0);
	is_fault("c->nested.inner + 5");
	is_fault("c->points[c->nested.inner].x");
	is_fault("((struct corpus *)0)->word");
	is_fault("c->node->next->next->next->value");
	is_fault("c->word == 5 || c->nested.inner == 42");
	is_number("c->word == 0x89abcdef || c->nested.inner == 42", 1);
	is_number("c->word == 5 && c->nested.inner == 42", 0);
	assert_true(filter("c->word != 5 || c->nested.inner"));
	assert_int_equal(*(u64 *)vm.maps[1].value, 0);
	assert_false(filter("c->nested.inner == 42"));
	assert_int_equal(*(u64 *)vm.maps[1].value, 1);
	assert_false(filter("c->nested.inner != 42"));
	assert_false(filter("!c->nested.inner"));
	assert_int_equal(*(u64 *)vm.maps[1].value, 3);
}

static void whole_structs(void **state)
{
	(void)state;
	eval("c->points[1]");
	assert_int_equal(result.value.kind, EXPR_BYTES);
	assert_int_equal(result.value.size, sizeof(struct point));
	assert_memory_equal(result.text, &corpus.points[1], sizeof(struct point));
	eval("*c->node");
	assert_memory_equal(result.text, corpus.node, sizeof(struct node));
	eval("c->numbers");
	assert_int_equal(result.value.size, sizeof(corpus.numbers));
	assert_memory_equal(result.text, corpus.numbers, sizeof(corpus.numbers));
	eval_as("c->numbers", EXPR_AS_INT, 0);
	assert_int_equal(result.value.kind, EXPR_POINTER);
	assert_int_equal(result.number, (s64)&corpus.numbers);
}

/* In strict mode the kernel's memory is read by one helper only, a process's by the other. */
static void spaces(void **state)
{
	(void)state;
	vm.strict = true;
	corpus.self = KERNEL(&corpus);
	scope.space = EXPR_SPACE_USER;
	is_number("c->word", 0x89abcdef);
	is_fault("c->self->word");
	assert_int_equal(vm.kernel_reads, 0);
	is_number("c->self@kernel->word", 0x89abcdef);
	assert_int_equal(vm.kernel_reads, 1);
	assert_int_equal(vm.user_reads, 1);
	scope.space = EXPR_SPACE_ANY;
	is_number("c->word", 0x89abcdef);
	is_number("c->self->self->word", 0x89abcdef);
	assert_int_equal(vm.kernel_reads, 2);
	assert_int_equal(vm.user_reads, 1);
	is_number("c@user->word", 0x89abcdef);
	is_fault("c->self@user->word");
	is_fault("c@kernel->word");
	regs.di = (u64)KERNEL(&corpus);
	is_number("c->word", 0x89abcdef);
	is_number("((struct corpus *)arg1)->word", 0x89abcdef);
	is_fault("((struct corpus *)arg1)@user->word");
	is_fault("((struct corpus *)arg1@user)->word");
	is_error("c->word@user", "c->word@user", "this is no pointer, but unsigned int");
	is_error("c@nowhere->word", "nowhere", "'user' or 'kernel' was expected here");
}

static void tags(void **state)
{
	struct {
		const char *text;
		int *number, *plain;
	} tagged = { "tagged", &corpus.numbers[3], KERNEL(&corpus.numbers[4]) };

	(void)state;
	vm.strict = true;
	scope.space = EXPR_SPACE_KERNEL;
	regs.di = (u64)KERNEL(&tagged);
	is_number("*((struct tagged *)arg1)->number", 13);
	assert_int_equal(vm.user_reads, 1);
	is_number("*((struct tagged *)arg1)->plain", 14);
	is_text("((struct tagged *)arg1)->text", "tagged");
	is_number("((struct tagged *)arg1)->text == \"tagged\"", 1);
}

static void addresses_of_arm(void **state)
{
	(void)state;
	scope.arch = expr_arch("arm64");
	scope.space = EXPR_SPACE_ANY;
	regs.di = (u64)&corpus;
	is_number("c->word", 0x89abcdef);
	assert_int_equal(vm.user_reads, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(members, expr_reset),
		cmocka_unit_test_setup(a_field_is_one_call, expr_reset),
		cmocka_unit_test_setup(pointers, expr_reset),
		cmocka_unit_test_setup(arrays, expr_reset),
		cmocka_unit_test_setup(bit_fields, expr_reset),
		cmocka_unit_test_setup(faults, expr_reset),
		cmocka_unit_test_setup(whole_structs, expr_reset),
		cmocka_unit_test_setup(spaces, expr_reset),
		cmocka_unit_test_setup(tags, expr_reset),
		cmocka_unit_test_setup(addresses_of_arm, expr_reset),
	};

	return cmocka_run_group_tests(tests, expr_setup, expr_teardown);
}
