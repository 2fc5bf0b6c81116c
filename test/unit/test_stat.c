/* stat: rates of intervals as long as they really were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "stat.h"

static void expect_rate(u64 count, u64 interval_ns, const char *text)
{
	struct bcc_stat row = { { 0, interval_ns }, { count } };
	struct buf b = {};

	stat_rate(&b, &row.count[0], &row);
	assert_int_equal(b.len, strlen(text));
	assert_memory_equal(b.data, text, b.len);
	buf_free(&b);
}

static void rates(void **state)
{
	(void)state;
	expect_rate(1000, 1000000000, "1000");
	expect_rate(1000, 1000400000, "1000"); /* a timer is always a little late */
	expect_rate(1000, 500000000, "2000");
	expect_rate(3, 2000000000, "2");
	expect_rate(1, 5000000000, "0");
	expect_rate(0, 1000000000, "0");
	expect_rate(7, 0, "7");
	expect_rate(~0ull, 1000000000, "18446744073709551615");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rates) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
