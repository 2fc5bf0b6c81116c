/* stacks: what is ours is dropped, lines are folded so that they can be taken apart again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "applet.h"
#include "rows.h"
#include "stacks.h"

static const char table[] = "ffffffff81000000 T bpf_get_stack_raw_tp\n"
			    "ffffffff81000100 T bpf_trace_run4\n"
			    "ffffffff81000200 T __traceiter_sched_switch\n"
			    "ffffffff81000300 T __schedule\n"
			    "ffffffff81000400 T schedule\n"
			    "ffffffff81000500 T bpf_prog_of_theirs\n"
			    "ffffffff81000600 T odd;name\n"
			    "ffffffff81000700 T _etext\n";

#define AT(n) (0xffffffff81000000ull + (n)*0x100 + 0x10)

static struct names names;

static int set_up(void **state)
{
	char path[] = "/tmp/test_stacks.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, table, sizeof(table) - 1), sizeof(table) - 1);
	close(fd);
	names = (struct names){ ksyms_new(path), usyms_new() };
	assert_int_equal(ksyms_load(names.kernel), 0);
	unlink(path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ksyms_free(names.kernel);
	usyms_free(names.user);
	return 0;
}

static void expect(struct buf *b, const char *text)
{
	assert_int_equal(b->len, strlen(text));
	assert_memory_equal(b->data, text, b->len);
	b->len = 0;
}

static void test_trim(void **state)
{
	struct bcc_stack s = { 6, { AT(0), AT(1), AT(2), AT(3), AT(5), AT(4) } };

	(void)state;
	stack_trim(&names, &s);
	assert_int_equal(s.n, 3);
	assert_true(s.ip[0] == AT(3) && s.ip[1] == AT(5) && s.ip[2] == AT(4));
	stack_trim(&names, &s);
	assert_int_equal(s.n, 3);
	common.stack_depth = 2;
	stack_trim(&names, &s);
	common.stack_depth = 0;
	assert_int_equal(s.n, 2);
}

static void test_forms(void **state)
{
	const struct bcc_stack s = { 4, { AT(3), AT(6), 0, 0x1234 } };
	struct buf b = {};

	(void)state;
	stack_list(&b, &names, OF_KERNEL, &s);
	expect(&b, "    __schedule\n    odd;name\n    [unknown]\n");
	stack_fold(&b, &names, OF_KERNEL, &s);
	expect(&b, "[unknown];odd:name;__schedule");
	stack_json(&b, &names, OF_KERNEL, &s);
	expect(&b, "[\"__schedule\",\"odd;name\",\"[unknown]\"]");
	names.offsets = true;
	stack_fold(&b, &names, OF_KERNEL, &s);
	expect(&b, "[unknown]+0x1234;odd:name+0x10;__schedule+0x10");
	names.offsets = false;
	buf_free(&b);
}

static void test_lost_and_gone(void **state)
{
	const struct bcc_stack none = {}, one = { 1, { 0x401000 } };
	struct buf b = {};

	(void)state;
	stack_fold(&b, &names, OF_KERNEL, NULL);
	expect(&b, "[Missed Kernel Stack]");
	stack_list(&b, &names, 1, NULL);
	expect(&b, "    [Missed User Stack]\n");
	stack_json(&b, &names, 1, &none);
	expect(&b, "[]");
	stack_list(&b, &names, 4194305, &one); /* above any pid */
	expect(&b, "    [unknown]\n");
	assert_int_equal(names.gone, 1);
	buf_free(&b);
}

static void test_parts(void **state)
{
	struct buf b = {};

	(void)state;
	buf_str(&b, "before\n");
	fold_part(&b, b.len, "a;b\nc d", 7);
	expect(&b, "before\na:b\\x0ac d");
	fold_part(&b, 0, "", 0);
	assert_int_equal(b.len, 0);
	buf_str(&b, "x");
	fold_part(&b, 0, "", 0);
	expect(&b, "x;");
	buf_free(&b);
}

struct row {
	u32 id;
	u64 us;
};

static const void *not_three(struct run *run, const void *event, size_t *size)
{
	(void)run;
	(void)size;
	return ((const struct row *)event)->id == 3 ? NULL : event;
}

#define ROW struct row

static void test_order(void **state)
{
	static const struct column columns[] = { COL(id, "ID", 0, ""),
						 COL(us, "US", 0, ""),
						 { 0 } };
	static const struct applet a = {
		.columns = columns, .sort = "us", .ascending = true, .event = not_three, VALUE(us)
	};
	struct row data[] = { { 5, 9 }, { 4, 1ull << 40 }, { 3, 2 }, { 2, 9 }, { 1, 0 } };
	struct rows rows = { (char *)data, 5, sizeof(*data), offsetof(struct row, us), 5 };
	struct run run = { .applet = &a };

	(void)state;
	rows_sort(&run, &rows);
	assert_int_equal(rows.n, 4);
	assert_int_equal(data[0].id, 1);
	assert_int_equal(data[1].us, 9);
	assert_int_equal(data[2].us, 9);
	assert_int_equal(data[3].id, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trim),          cmocka_unit_test(test_forms),
		cmocka_unit_test(test_lost_and_gone), cmocka_unit_test(test_parts),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
