/* hist: the slot of each value and the line it is printed in; times that run backwards are in none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "loss.h"

/* What BPF programs have of clang and libbpf. */
#define barrier_var(v) __asm__ volatile("" : "+r"(v))

static u64 lost[LOST_KINDS];

static void lose(enum bcc_loss kind)
{
	lost[kind]++;
}

#pragma GCC diagnostic ignored "-Wunknown-pragmas" /* of unrolling */
#include "lib/between.bpf.h"
#include "lib/hist.bpf.h"

static void slots(void **state)
{
	(void)state;
	assert_int_equal(log2_slot(0), 0);
	assert_int_equal(log2_slot(1), 0);
	assert_int_equal(log2_slot(2), 1);
	assert_int_equal(log2_slot(3), 1);
	assert_int_equal(log2_slot(4), 2);
	for (u32 n = 2; n < 64; n++) {
		assert_int_equal(log2_slot((1ull << n) - 1), n - 1);
		assert_int_equal(log2_slot(1ull << n), n);
		assert_int_equal(log2_slot((1ull << n) + 1), n);
	}
	assert_int_equal(log2_slot((1ull << 32) + 1), 32);
	assert_int_equal(log2_slot(~0ull), 63);
}

/* The numbers of the only line that has a count. */
static void line_of(u64 value, u64 *low, u64 *high)
{
	struct bcc_hist h = {};
	struct buf b = {};
	bool found = false;

	hist_add(&h, value);
	assert_true(h.sum == value);
	assert_int_equal(hist_count(&h), 1);
	hist_log2_text(&b, "usecs", 0, h.slots);
	buf_chr(&b, '\0');
	for (char *line = strtok(b.data, "\n"); line; line = strtok(NULL, "\n")) {
		char *arrow = strstr(line, "->"), *colon = strchr(line, ':');

		if (!arrow || !colon || strtoul(colon + 1, NULL, 10) != 1)
			continue;
		assert_false(found);
		found = true;
		*low = strtoull(line, NULL, 10);
		*high = strtoull(arrow + 2, NULL, 10);
	}
	assert_true(found);
	buf_free(&b);
}

static void lines(void **state)
{
	u64 low, high;

	(void)state;
	line_of(0, &low, &high);
	assert_true(low == 0 && high == 1);
	line_of(1, &low, &high);
	assert_true(low == 0 && high == 1);
	for (u32 n = 1; n < 64; n++) {
		u64 least = 1ull << n, most = least * 2 - 1;

		for (int i = 0; i < 2; i++) {
			line_of(i ? most : least, &low, &high);
			assert_true(low == least && high == most);
		}
	}
}

static void linear(void **state)
{
	struct bcc_hist h = {};

	(void)state;
	hist_add_linear(&h, 0);
	hist_add_linear(&h, 62);
	hist_add_linear(&h, 63);
	hist_add_linear(&h, 64);
	hist_add_linear(&h, 1ull << 40);
	assert_int_equal(h.slots[0], 1);
	assert_int_equal(h.slots[62], 1);
	assert_int_equal(h.slots[63], 3);
	assert_int_equal(hist_count(&h), 5);
}

static void backwards(void **state)
{
	struct bcc_hist h = {};
	u64 ns = 7;

	(void)state;
	assert_false(between(1000, 999, &ns));
	assert_false(between(~0ull, 0, &ns));
	assert_int_equal(ns, 7);
	assert_int_equal(lost[LOST_CLOCK], 2);
	if (between(5, 5, &ns))
		hist_add(&h, ns);
	if (between(5, 4, &ns))
		hist_add(&h, ns);
	assert_int_equal(hist_count(&h), 1);
	assert_true(h.slots[0] == 1 && h.sum == 0);
	assert_true(between(0, ~0ull, &ns) && ns == ~0ull);
	assert_int_equal(lost[LOST_CLOCK], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots),
		cmocka_unit_test(lines),
		cmocka_unit_test(linear),
		cmocka_unit_test(backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
