/* flamegraph: layout and escapes; with FLAMEGRAPH=FILE a picture for test/cli/flamegraph.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flamegraph.h"

static struct interned strings;

static void add(struct flame *f, u64 weight, enum frame_kind kind, const char *path)
{
	char copy[256], *next = copy, *name;
	u32 at = 0;

	snprintf(copy, sizeof(copy), "%s", path);
	flame_count(f, weight);
	while ((name = strsep(&next, ";")))
		at = flame_add(f, at, intern(&strings, name, strlen(name)), at ? kind : FRAME_TASK,
			       weight);
}

static const char *svg(struct flame *f, struct buf *b)
{
	b->len = 0;
	flame_svg(f, b, "a & b", "samples");
	buf_chr(b, '\0');
	return b->data;
}

/* The rectangle of a frame by its tooltip. */
static bool rect(const char *text, const char *title, double *x, double *y, double *width)
{
	char want[256];
	const char *at;

	snprintf(want, sizeof(want), "<title>%s</title><rect x=", title);
	at = strstr(text, want);
	return at && sscanf(at + strlen(want), "\"%lf\" y=\"%lf\" width=\"%lf\"", x, y, width) == 3;
}

static void test_layout(void **state)
{
	double x, y, width, below;
	struct flame f = {};
	struct buf b = {};
	const char *text;

	(void)state;
	add(&f, 30, FRAME_USER, "work;main;hot");
	add(&f, 5, FRAME_USER, "work;main;cold");
	add(&f, 5, FRAME_USER, "work;main");
	add(&f, 60, FRAME_KERNEL, "kthread;sleep");
	add(&f, 30, FRAME_USER, "work;main;hot"); /* the same again */
	assert_int_equal(f.nodes[0].total, 130);
	text = svg(&f, &b);
	assert_true(rect(text, "all (130 samples, 100.00%)", &x, &below, &width));
	assert_true(x == 10 && width == 1180);
	assert_true(rect(text, "kthread (60 samples, 46.15%)", &x, &y, &width));
	assert_true(x == 10 && width > 544.6 && width < 544.7 && y == below - 16);
	assert_true(rect(text, "main (70 samples, 53.85%)", &x, &y, &width));
	assert_true(x > 554.6 && x < 554.7 && y == below - 32);
	/* Children by name; what main took itself is free at the right. */
	assert_true(rect(text, "cold (5 samples, 3.85%)", &x, &y, &width));
	assert_true(x > 554.6 && x < 554.7 && y == below - 48);
	assert_true(rect(text, "hot (60 samples, 46.15%)", &x, &y, &width));
	assert_true(x >= 600 && x + width < 1145 && x + width > 1144);
	assert_non_null(strstr(text, "a &amp; b</text>"));
	flame_free(&f);
	buf_free(&b);
}

static void test_kinds_and_recursion_are_frames_of_their_own(void **state)
{
	struct flame f = {};
	struct buf b = {};
	double x, y, width;
	const char *text;

	(void)state;
	add(&f, 1, FRAME_USER, "t;f;f;f");
	add(&f, 1, FRAME_KERNEL, "t;f");
	text = svg(&f, &b);
	assert_true(rect(text, "t (2 samples, 100.00%)", &x, &y, &width));
	assert_true(rect(text, "f (1 samples, 50.00%)", &x, &y, &width));
	assert_int_equal(f.n, 1 + 1 + 3 + 1);
	flame_free(&f);
	buf_free(&b);
}

static void test_names_are_escaped(void **state)
{
	struct flame f = {};
	struct buf b = {};
	const char *text;

	(void)state;
	add(&f, 1, FRAME_USER, "a<b>&\"c\";x\n\x01\xff]]>\xef\xbf\xbe;caf\xc3\xa9");
	text = svg(&f, &b);
	assert_non_null(strstr(text, "<title>a&lt;b&gt;&amp;&quot;c&quot; (1 samples, 100.00%)"));
	assert_non_null(strstr(text, "<title>x\\x0a\\x01\\xff]]&gt;\\xEF\\xBF\\xBE (1"));
	assert_non_null(strstr(text, "caf\xc3\xa9"));
	flame_free(&f);
	buf_free(&b);
}

static void test_narrow_frames_are_left_out(void **state)
{
	struct flame f = {};
	struct buf b = {};
	const char *text;

	(void)state;
	add(&f, 1, FRAME_USER, "t;narrow");
	add(&f, 1000000, FRAME_USER, "t;wide");
	text = svg(&f, &b);
	assert_null(strstr(text, "narrow"));
	assert_non_null(strstr(text, "wide (1,000,000 samples, 100.00%)"));
	flame_free(&f);
	buf_free(&b);
}

static void test_nothing(void **state)
{
	struct flame f = {};
	struct buf b = {};

	(void)state;
	assert_non_null(strstr(svg(&f, &b), "</svg>"));
	flame_free(&f);
	buf_free(&b);
}

static void write_picture(const char *path)
{
	struct flame f = {};
	struct buf b = {};
	FILE *file = fopen(path, "w");

	add(&f, 600, FRAME_USER, "work;main;run_loop;work_burn_hot");
	add(&f, 200, FRAME_USER, "work;main;run_loop;work_burn_cold");
	add(&f, 50, FRAME_KERNEL, "work;entry_SYSCALL_64;vfs_read;<odd & name>");
	add(&f, 150, FRAME_KERNEL, "kworker/0:1;kthread;worker_thread");
	svg(&f, &b);
	if (!file || fwrite(b.data, b.len - 1, 1, file) != 1 || fclose(file))
		exit(1);
	flame_free(&f);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_kinds_and_recursion_are_frames_of_their_own),
		cmocka_unit_test(test_names_are_escaped),
		cmocka_unit_test(test_narrow_frames_are_left_out),
		cmocka_unit_test(test_nothing),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (getenv("FLAMEGRAPH"))
		write_picture(getenv("FLAMEGRAPH"));
	intern_free(&strings);
	return failed;
}
