/* buckets: histograms of numbers that were counted one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "buckets.h"
#include "util.h"

static struct buckets b;

static void json_is(const char *expected)
{
	struct buf text = {};

	buckets_json(&text, &b);
	buf_chr(&text, '\0');
	assert_string_equal(text.data, expected);
	buf_free(&text);
	buckets_free(&b);
}

static void text_is(const char *expected)
{
	struct buf text = {};

	buckets_text(&text, &b, "bytes");
	buf_chr(&text, '\0');
	assert_string_equal(text.data, expected);
	buf_free(&text);
	buckets_free(&b);
}

static void powers_of_two(void **state)
{
	static const struct counted powers[] = { { 3, 5 }, { 0, 1 }, { 1, 2 } };
	static const struct counted ends[] = { { -1ull, 4 }, { 64, 9 } };
	static const struct counted absurd[] = { { 65, 1 } };

	(void)state;
	buckets_log2(&b, powers, ARRAY_SIZE(powers));
	assert_int_equal(buckets_sum(&b), 8);
	json_is("[{\"low\":0,\"high\":1,\"count\":3},{\"low\":2,\"high\":3,\"count\":0},"
		"{\"low\":4,\"high\":7,\"count\":5}]");
	buckets_log2(&b, ends, ARRAY_SIZE(ends));
	assert_int_equal(b.n, 65);
	assert_int_equal(b.at[0].count, 4);
	assert_int_equal((s64)b.at[0].low, (s64)(1ull << 63));
	assert_int_equal((s64)b.at[0].high, -1);
	assert_int_equal(b.at[64].low, 1ull << 63);
	assert_int_equal(b.at[64].high, ~0ull);
	assert_int_equal(b.at[64].count, 9);
	buckets_free(&b);
	buckets_log2(&b, absurd, ARRAY_SIZE(absurd));
	json_is("[]");
	buckets_log2(&b, NULL, 0);
	text_is("");
}

static void log2_text(void **state)
{
	static const struct counted powers[] = { { -1ull, 2 }, { 2, 4 } };

	(void)state;
	buckets_log2(&b, powers, ARRAY_SIZE(powers));
	text_is("     bytes               : count     distribution\n"
		"       < 0               : 2        |********************                    |\n"
		"         0 -> 1          : 0        |                                        |\n"
		"         2 -> 3          : 4        |****************************************|\n");
	buckets_log2(&b, powers, 1);
	text_is("     bytes               : count     distribution\n"
		"       < 0               : 2        |****************************************|\n");
}

static void one_width(void **state)
{
	static const struct counted near[] = { { -2ull, 1 }, { 0, 2 }, { 1, 4 } };
	static const struct counted far[] = { { -501ull, 1 }, { 499, 2 } };

	(void)state;
	buckets_linear(&b, near, ARRAY_SIZE(near), true);
	text_is("     bytes               : count     distribution\n"
		"        -2               : 1        |**********                              |\n"
		"        -1               : 0        |                                        |\n"
		"         0               : 2        |********************                    |\n"
		"         1               : 4        |****************************************|\n");
	buckets_linear(&b, far, ARRAY_SIZE(far), true);
	assert_int_equal(b.n, 51);
	assert_int_equal((s64)b.at[0].low, -520);
	assert_int_equal((s64)b.at[0].high, -501);
	assert_int_equal(b.at[0].count, 1);
	assert_int_equal((s64)b.at[50].low, 480);
	assert_int_equal(b.at[50].count, 2);
	buckets_free(&b);
	buckets_linear(&b, NULL, 0, true);
	text_is("");
}

/* However far apart: never more than they may be, never past the end. */
static void ends_of_the_range(void **state)
{
	static const struct counted all[] = { { 0, 1 }, { ~0ull, 2 } };
	static const struct counted all_signed[] = { { 1ull << 63, 1 }, { ~0ull >> 1, 2 } };

	(void)state;
	buckets_linear(&b, all, 2, false);
	assert_in_range(b.n, 10, BUCKETS_LINEAR);
	assert_int_equal(b.at[0].low, 0);
	assert_int_equal(b.at[0].count, 1);
	assert_int_equal(b.at[b.n - 1].count, 2);
	buckets_free(&b);
	buckets_linear(&b, all_signed, 2, true);
	assert_in_range(b.n, 10, BUCKETS_LINEAR + 1);
	assert_int_equal(buckets_sum(&b), 3);
	assert_int_equal(b.at[b.n - 1].count, 2);
	buckets_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(powers_of_two),
		cmocka_unit_test(log2_text),
		cmocka_unit_test(one_width),
		cmocka_unit_test(ends_of_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
