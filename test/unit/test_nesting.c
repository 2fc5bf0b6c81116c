/* nesting: calls in each other, as ksnoop -s wants them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "nesting.h"

static char kept[256];
static size_t len;

static void note(void *ctx, const void *event, size_t size)
{
	(void)ctx;
	len += snprintf(kept + len, sizeof(kept) - len, "%.*s ", (int)size, (const char *)event);
}

/* "0.0": function 0 of thread 0 as its event is called here. */
static bool enter(struct nesting *n, u64 thread, u32 function, const char *event)
{
	len = 0;
	kept[0] = '\0';
	return nesting_enter(n, thread, function, true, event, 3, note, NULL);
}

static void chains(void **state)
{
	struct nesting *n = nesting_new(3);

	(void)state;
	assert_false(enter(n, 7, 0, "0.7"));
	assert_false(enter(n, 8, 0, "0.8"));
	assert_false(enter(n, 7, 1, "1.7"));
	assert_false(enter(n, 8, 2, "2.8")); /* not from 1 */
	assert_true(enter(n, 7, 2, "2.7"));
	assert_string_equal(kept, "0.7 1.7 ");
	assert_true(nesting_leave(n, 7, 2));
	assert_true(enter(n, 7, 2, "2.7")); /* once more from the same: those were given */
	assert_string_equal(kept, "");
	assert_false(nesting_leave(n, 8, 2));
	assert_false(nesting_leave(n, 8, 0));
	assert_true(nesting_leave(n, 7, 2));
	assert_true(nesting_leave(n, 7, 1));
	assert_true(nesting_leave(n, 7, 0));
	assert_false(nesting_leave(n, 7, 0));
	assert_int_equal(nesting_lost(n), 0);
	nesting_free(n);
}

static void what_does_not_fit(void **state)
{
	struct nesting *n = nesting_new(2);

	(void)state;
	assert_false(nesting_enter(n, 7, 0, false, "0.7", 3, note, NULL));
	assert_false(enter(n, 7, 1, "1.7"));
	assert_false(nesting_leave(n, 7, 1));
	assert_false(enter(n, 7, 0, "0.7")); /* it calls itself, and this one fits */
	assert_true(enter(n, 7, 1, "1.7"));
	assert_true(nesting_leave(n, 7, 1));
	assert_true(nesting_leave(n, 7, 0));
	assert_false(nesting_leave(n, 7, 0));
	nesting_free(n);
}

/* Returns that are not seen: the next one around is, or in the end the thread begins anew. */
static void lost_returns(void **state)
{
	struct nesting *n = nesting_new(2);
	int i;

	(void)state;
	enter(n, 7, 0, "0.7");
	assert_true(enter(n, 7, 1, "1.7"));
	assert_true(nesting_leave(n, 7, 0));
	assert_false(nesting_leave(n, 7, 1));
	for (i = 0; i < 64; i++)
		enter(n, 9, 0, "0.9");
	assert_int_equal(nesting_lost(n), 0);
	enter(n, 9, 0, "0.9");
	assert_int_equal(nesting_lost(n), 64);
	assert_true(enter(n, 9, 1, "1.9"));
	for (i = 0; i < 16384; i++)
		enter(n, 100 + i, 0, "0.0");
	assert_true(nesting_lost(n) > 64);
	nesting_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains),
		cmocka_unit_test(what_does_not_fit),
		cmocka_unit_test(lost_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
