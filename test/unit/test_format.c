/* format: what printf prints, and what it has no conversions for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "format.h"

static char printed[4096];

static void symbol(struct buf *b, bool user, u64 address, void *ctx)
{
	buf_fmt(b, "%s:%s+%llx", (char *)ctx, user ? "user" : "kernel", address);
}

static const char *print(const char *source, const struct format_value *values)
{
	struct format_error err;
	struct format f;
	struct buf b = {};

	if (!format_parse(&f, source, 0, strlen(source), &err))
		fail_msg("%s: %u: %s", source, err.at, err.text);
	format_print(&b, &f, values, symbol, "ctx");
	snprintf(printed, sizeof(printed), "%.*s", (int)b.len, b.data ?: "");
	buf_free(&b);
	format_free(&f);
	return printed;
}

static const char *print_number(const char *source, u64 v)
{
	return print(source, &(struct format_value){ .number = v });
}

static const char *print_text(const char *source, const char *s)
{
	return print(source, &(struct format_value){ .bytes = s, .size = strlen(s) + 1 });
}

static void numbers(void **state)
{
	(void)state;
	assert_string_equal(print_number("%d", 42), "42");
	assert_string_equal(print_number("%d", 0xfffffffe), "-2");
	assert_string_equal(print_number("%i", -3ull), "-3");
	assert_string_equal(print_number("%u", -1ull), "4294967295");
	assert_string_equal(print_number("%lld", -1ull), "-1");
	assert_string_equal(print_number("%ld", 1ull << 40), "1099511627776");
	assert_string_equal(print_number("%llu", -1ull), "18446744073709551615");
	assert_string_equal(print_number("%zu", 7), "7");
	assert_string_equal(print_number("%hd", 0x1ffff), "-1");
	assert_string_equal(print_number("%hhu", 0x1ff), "255");
	assert_string_equal(print_number("%x", 0xffff888001234567), "1234567");
	assert_string_equal(print_number("%llx", 0xffff888001234567), "ffff888001234567");
	assert_string_equal(print_number("%#X", 0xab), "0XAB");
	assert_string_equal(print_number("%o", 8), "10");
	assert_string_equal(print_number("<%5d|", 42), "<   42|");
	assert_string_equal(print_number("<%-5d|", 42), "<42   |");
	assert_string_equal(print_number("%05d", 42), "00042");
	assert_string_equal(print_number("%+d", 42), "+42");
	assert_string_equal(print_number("%.3d", 7), "007");
	assert_string_equal(print_number("%c", 'x'), "x");
	assert_string_equal(print_number("%c", '\n'), "\\x0a");
	assert_string_equal(print_number("%p", 0xffff888001234567), "0xffff888001234567");
	assert_string_equal(print_number("%20p|", 0x12), "                0x12|");
}

static void texts(void **state)
{
	(void)state;
	assert_string_equal(print_text("%s", "text"), "text");
	assert_string_equal(print_text("[%8s]", "text"), "[    text]");
	assert_string_equal(print_text("[%-8s]", "text"), "[text    ]");
	assert_string_equal(print_text("%.2s", "text"), "te");
	assert_string_equal(print_text("%s", "a\x1b[2J\n"), "a\\x1b[2J\\x0a");
	assert_string_equal(print("%s", &(struct format_value){ .bytes = "abcdef", .size = 3 }),
			    "abc");
	assert_string_equal(print_text("100%% \\t\\\"q\\\"\\\\ %s", "x"), "100% \t\"q\"\\ x");
	assert_string_equal(print_text("nothing", ""), "nothing");
	assert_string_equal(print_text("", ""), "");
}

static void addresses(void **state)
{
	static const u8 v4[] = { 127, 0, 0, 1 }, v6[16] = { 0xfe, 0x80, [15] = 1 },
			mac[] = { 0, 0x1a, 2, 0xff, 4, 5 };

	(void)state;
	assert_string_equal(print("%I", &(struct format_value){ .bytes = v4, .size = 4 }),
			    "127.0.0.1");
	assert_string_equal(print("%I", &(struct format_value){ .bytes = v6, .size = 16 }),
			    "fe80::1");
	assert_string_equal(print("%12I|", &(struct format_value){ .bytes = v4, .size = 4 }),
			    "   127.0.0.1|");
	assert_string_equal(print("%M", &(struct format_value){ .bytes = mac, .size = 6 }),
			    "00:1a:02:ff:04:05");
	assert_string_equal(print_number("%K", 0x10), "ctx:kernel+10");
	assert_string_equal(print_number("%U", 0x10), "ctx:user+10");
}

static void several(void **state)
{
	struct format_value v[] = {
		{ .number = 1 }, { .bytes = "two", .size = 4 }, { .fault = true }, { .fault = true }
	};
	struct format_error err;
	struct format f;

	(void)state;
	assert_string_equal(print("%d, %s; %d and %10s.", v), "1, two; (fault) and    (fault).");
	assert_true(format_parse(&f, "<\"%d %s\">", 2, 7, &err));
	assert_int_equal(f.nvalues, 2);
	assert_int_equal(format_value_part(&f, 0)->conversion, 'd');
	assert_int_equal(format_value_part(&f, 1)->conversion, 's');
	assert_null(format_value_part(&f, 2));
	format_free(&f);
}

static void refused(void **state)
{
	static const struct {
		const char *source;
		u32 at, len;
		const char *text;
	} cases[] = {
		{ "a %q", 2, 2, "there is no such conversion" },
		{ "%f", 0, 2, "there is no such conversion" },
		{ "%", 0, 1, "the conversion does not end" },
		{ "x%5.", 1, 3, "the conversion does not end" },
		{ "%99999d", 4, 1, "that is too wide" },
		{ "\\q", 0, 2, "there is no such escape sequence" },
		{ "\\", 0, 2, "there is no such escape sequence" },
	};
	char many[512];
	struct format_error err;
	struct format f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *s = cases[i].source;

		assert_false(format_parse(&f, s, 0, strlen(s), &err));
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(err.at, cases[i].at);
		assert_int_equal(err.len, cases[i].len);
	}
	for (int i = 0; i < 256; i++)
		memcpy(many + 2 * i, "%d", 2);
	assert_false(format_parse(&f, many, 0, sizeof(many), &err));
	assert_string_equal(err.text, "the format has too many parts");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(texts),   cmocka_unit_test(addresses),
		cmocka_unit_test(several), cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
