/* expr: strings, compared, read and chosen. */
#include <string.h>
#include <sys/mman.h>

#include "fixture/expr.h"

static void compared(void **state)
{
	(void)state;
	is_number("c->name == \"a name\"", 1);
	is_number("c->name != \"a name\"", 0);
	is_number("\"a name\" == c->name", 1);
	is_number("c->name == \"a nam\"", 0);
	is_number("c->name == \"a name \"", 0);
	is_number("c->name == \"a namE\"", 0);
	is_number("c->name == \"\"", 0);
	is_number("c->text == \"hello\"", 1);
	is_number("c->text == \"hell\"", 0);
	is_number("c->text != \"hello world\"", 1);
	is_number("c->text == \"0123456789abcdefg\"", 0);
	is_number("c->full == \"full\"", 1);
	is_number("c->full == \"ful\"", 0);
	is_number("c->full == \"fuller\"", 0);
	is_number("STRCMP(\"hello\", c->text)", 1);
	is_number("STRCMP(c->text, \"hello\")", 1);
	is_number("STRCMP(\"help!\", c->text)", 0);
	is_number("!STRCMP(\"hello\", c->text) + 2", 2);
	is_number("$COMM == \"tester\"", 1);
	is_number("$COMM != \"teste\"", 1);
	is_number("$comm == \"a name longer than any\"", 0);
	is_number("\"a\" \"b\" == \"ab\"", 1);
	is_number("c->node->next->name == \"second\" && c->name != \"x\"", 1);
	regs.si = (u64) "an address";
	is_number("arg2 == \"an address\"", 1);
	is_number("STRCMP(\"an address\", arg2)", 1);
	is_number("(char *)arg2 == \"an addresses\"", 0);
	regs.si = (u64) "";
	is_number("arg2 == \"\"", 1);
	is_number("STRCMP(\"\", arg2)", 1);
	is_number("arg2 == \"x\"", 0);
}

static void compared_as_bytes(void **state)
{
	(void)state;
	scope.binary_strcmp = true;
	is_number("STRCMP(\"hell\", c->text)", 1);
	is_number("STRCMP(\"hello\", c->text)", 1);
	is_number("STRCMP(\"a na\", c->name)", 1);
	is_number("STRCMP(\"a nb\", c->name)", 0);
	is_number("STRCMP(\"test\", $COMM)", 1);
	is_number("c->name == \"a na\"", 0);
}

static void read(void **state)
{
	(void)state;
	is_text("c->name", "a name");
	is_text("c->text", "hello");
	is_text("c->full", "full");
	is_text("$COMM", "tester");
	is_text("\"literal\"", "literal");
	is_text("c->node->next->name", "second");
	is_text("c->name + 2", "name");
	is_text("&c->text[1]", "ello");
	is_text("c->word == 5 ? \"yes\" : \"no\"", "no");
	is_text("c->word != 5 ? c->name : \"no\"", "a name");
	is_text("c->word == 5 ? \"a\" : c->word == 6 ? \"b\" : c->text", "hello");
	regs.si = (u64) "an address";
	is_text("arg2", "an address");
	is_text("(char *)arg2", "an address");
	eval("c->text");
	assert_int_equal(result.value.kind, EXPR_STRING);
	assert_string_equal(result.text, "hello");
	eval("c->name");
	assert_int_equal(result.value.kind, EXPR_POINTER);
	assert_int_equal(result.number, (s64)corpus.name);
}

static void cut_off(void **state)
{
	static char big[5000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	corpus.name = big;
	eval_as("c->name", EXPR_AS_TEXT, 0);
	assert_int_equal(strlen(result.text), 79);
	eval_as("c->name", EXPR_AS_TEXT, 10);
	assert_int_equal(strlen(result.text), 9);
	eval_as("c->name", EXPR_AS_TEXT, 4096);
	assert_int_equal(strlen(result.text), 4095);
	eval_as("c->name", EXPR_AS_TEXT, 100000);
	assert_int_equal(strlen(result.text), 4095);
	eval_as("\"literal\"", EXPR_AS_TEXT, 4);
	assert_string_equal(result.text, "lit");
}

/* A string that ends where its page ends, and one that would go on. */
static void at_the_end_of_a_page(void **state)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(page, MAP_FAILED);
	vm.fault_from = (u64)page + 4096;
	vm.fault_to = vm.fault_from + 4096;
	memcpy(page + 4096 - 4, "end", 4);
	corpus.name = page + 4096 - 4;
	is_text("c->name", "end");
	is_number("c->name == \"end\"", 1);
	is_number("c->name == \"ending\"", 0);
	page[4095] = '!';
	eval_as("c->name", EXPR_AS_TEXT, 0);
	assert_true(result.fault);
	assert_string_equal(result.text, "");
	is_fault("c->name == \"end!\"");
	munmap(page, 4096);
}

static void refused(void **state)
{
	(void)state;
	is_error("\"a\" + 1", "\"a\"", "a string can be compared or printed, not calculated with");
	is_error("c->word == \"a\"", "c->word", "this is no string, but unsigned int");
	is_error("c->node == \"a\"", "c->node", "this is no string, but struct node *");
	is_error("\"a\" < c->name", "\"a\"",
		 "a string can be compared or printed, not calculated with");
	is_error("arg1 ? \"a\" : 1", "arg1 ? \"a\" : 1",
		 "one of these is a string, the other is not");
	is_error("\"endless", "\"", "the literal does not end");
	is_error("STRCMP(c->name, c->text)", "c->name",
		 "one of the two must be a string in quotes");
	is_error("STRCMP(\"a\")", "STRCMP(\"a\")", "STRCMP takes a string in quotes and a value");
	is_error("STRCMP", "STRCMP", "STRCMP wants its arguments in parentheses");
	eval_as("c->word", EXPR_AS_TEXT, 0);
	assert_false(result.compiled);
	assert_string_equal(result.error.text, "this is no string, nor the address of one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(compared, expr_reset),
		cmocka_unit_test_setup(compared_as_bytes, expr_reset),
		cmocka_unit_test_setup(read, expr_reset),
		cmocka_unit_test_setup(cut_off, expr_reset),
		cmocka_unit_test_setup(at_the_end_of_a_page, expr_reset),
		cmocka_unit_test_setup(refused, expr_reset),
	};

	return cmocka_run_group_tests(tests, expr_setup, expr_teardown);
}
