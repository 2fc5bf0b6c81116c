/* buf: numbers, alignment, and what becomes of text that is not to be trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "buf.h"

static struct buf b;

static void expect(const char *text)
{
	assert_int_equal(b.len, strlen(text));
	assert_memory_equal(b.data ?: "", text, b.len);
	b.len = 0;
}

static int free_buf(void **state)
{
	(void)state;
	buf_free(&b);
	return 0;
}

static void numbers(void **state)
{
	(void)state;
	buf_u64(&b, 0);
	expect("0");
	buf_u64(&b, UINT64_MAX);
	expect("18446744073709551615");
	buf_s64(&b, INT64_MIN);
	expect("-9223372036854775808");
	buf_s64(&b, -1);
	expect("-1");
	buf_octal(&b, 0100644, 4);
	expect("100644");
	buf_octal(&b, 0, 8);
	expect("00000000");
	buf_octal(&b, UINT64_MAX, 1);
	expect("1777777777777777777777");
	buf_hex(&b, 0);
	expect("0x0");
	buf_hex(&b, UINT64_MAX);
	expect("0xffffffffffffffff");
}

static void fixed_point(void **state)
{
	(void)state;
	buf_fixed(&b, 1234567, 1000, 3);
	expect("1234.567");
	buf_fixed(&b, 1999999, 1000000, 2); /* rounded down */
	expect("1.99");
	buf_fixed(&b, 5, 1000, 3);
	expect("0.005");
	buf_fixed(&b, 7000, 1000, 0);
	expect("7");
	buf_fixed(&b, UINT64_MAX, 1000000000, 9);
	expect("18446744073.709551615");
}

static void alignment(void **state)
{
	(void)state;
	buf_str(&b, "ab");
	buf_align(&b, 0, 5);
	expect("   ab");
	buf_str(&b, "ab");
	buf_align(&b, 0, -5);
	expect("ab   ");
	buf_str(&b, "x ab");
	buf_align(&b, 2, 4);
	expect("x   ab");
	buf_str(&b, "longer");
	buf_align(&b, 0, 3);
	expect("longer");
	buf_str(&b, "\xc3\xa4"); /* one character, two bytes */
	buf_align(&b, 0, -3);
	expect("\xc3\xa4  ");
	buf_align(&b, 0, 0);
	expect("");
	buf_fill(&b, '-', -1);
	buf_fill(&b, '-', 3);
	expect("---");
}

static void growth(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_fmt(&b, "%d,", i % 10);
	assert_int_equal(b.len, 200000);
	assert_memory_equal(b.data + 199980, "0,1,2,3,4,5,6,7,8,9,", 20);
	b.len = 0;
	buf_fmt(&b, "%s", "");
	expect("");
}

static const struct {
	const char *in;
	size_t n;
	const char *safe, *json, *csv;
} texts[] = {
#define TEXT(s) s, sizeof(s) - 1
	{ TEXT(""), "", "\"\"", "" },
	{ TEXT("plain ~!"), "plain ~!", "\"plain ~!\"", "plain ~!" },
	{ TEXT("a\nb\tc\r"), "a\\x0ab\\x09c\\x0d", "\"a\\u000ab\\u0009c\\u000d\"",
	  "a\\x0ab\\x09c\\x0d" },
	{ TEXT("\x1b[31m\x07"), "\\x1b[31m\\x07", "\"\\u001b[31m\\u0007\"", "\\x1b[31m\\x07" },
	{ TEXT("a\0b"), "a\\x00b", "\"a\\u0000b\"", "a\\x00b" },
	{ TEXT("\x7f"), "\\x7f", "\"\\u007f\"", "\\x7f" },
	{ TEXT("say \"hi\""), "say \"hi\"", "\"say \\\"hi\\\"\"", "\"say \"\"hi\"\"\"" },
	{ TEXT("a,b"), "a,b", "\"a,b\"", "\"a,b\"" },
	{ TEXT("a\\b"), "a\\b", "\"a\\\\b\"", "a\\b" },
	/* UTF-8 that is right: 2, 3 and 4 bytes */
	{ TEXT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9d"), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9d",
	  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9d\"", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9d" },
	/* C1 as UTF-8: CSI, which some terminals obey */
	{ TEXT("\xc2\x9b"
	       "31m"),
	  "\\xc2\\x9b31m",
	  "\"\xc2\x9b"
	  "31m\"",
	  "\\xc2\\x9b31m" },
	/* C1 as a lone byte, and other bytes that are not UTF-8 */
	{ TEXT("\x9b"
	       "31m"),
	  "\\x9b31m", "\"\\u009b31m\"", "\\x9b31m" },
	{ TEXT("\xff\xfe"), "\\xff\\xfe", "\"\\u00ff\\u00fe\"", "\\xff\\xfe" },
	{ TEXT("\xc0\xaf"), "\\xc0\\xaf", "\"\\u00c0\\u00af\"", "\\xc0\\xaf" },
	{ TEXT("\xe0\x80\xaf"), "\\xe0\\x80\\xaf", "\"\\u00e0\\u0080\\u00af\"", "\\xe0\\x80\\xaf" },
	{ TEXT("\xed\xa0\x80"), "\\xed\\xa0\\x80", "\"\\u00ed\\u00a0\\u0080\"", "\\xed\\xa0\\x80" },
	{ TEXT("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80", "\"\\u00f4\\u0090\\u0080\\u0080\"",
	  "\\xf4\\x90\\x80\\x80" },
	/* cut short at the end */
	{ TEXT("x\xe2\x82"), "x\\xe2\\x82", "\"x\\u00e2\\u0082\"", "x\\xe2\\x82" },
	/* right-to-left override, isolate, mark; line separator; byte order mark */
	{ TEXT("a\xe2\x80\xae"
	       "b"),
	  "a\\xe2\\x80\\xaeb",
	  "\"a\xe2\x80\xae"
	  "b\"",
	  "a\\xe2\\x80\\xaeb" },
	{ TEXT("\xe2\x81\xa7"), "\\xe2\\x81\\xa7", "\"\xe2\x81\xa7\"", "\\xe2\\x81\\xa7" },
	{ TEXT("\xd8\x9c"), "\\xd8\\x9c", "\"\xd8\x9c\"", "\\xd8\\x9c" },
	{ TEXT("\xe2\x80\xa8"), "\\xe2\\x80\\xa8", "\"\xe2\x80\xa8\"", "\\xe2\\x80\\xa8" },
	{ TEXT("\xef\xbb\xbf"), "\\xef\\xbb\\xbf", "\"\xef\xbb\xbf\"", "\\xef\\xbb\\xbf" },
};

static void untrusted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_safe(&b, texts[i].in, texts[i].n);
		expect(texts[i].safe);
		buf_json(&b, texts[i].in, texts[i].n);
		expect(texts[i].json);
		buf_csv(&b, texts[i].in, texts[i].n);
		expect(texts[i].csv);
	}
}

/* Whatever the bytes: one line, nothing a terminal obeys, and nothing read past the end. */
static void every_pair(void **state)
{
	(void)state;
	for (int i = 0; i < 0x10000; i++) {
		char *in = malloc(2); /* of exactly this size, for the sanitizer */

		in[0] = i >> 8;
		in[1] = i;
		buf_safe(&b, in, 2);
		for (size_t k = 0; k < b.len; k++)
			assert_true((unsigned char)b.data[k] >= 0x20 && b.data[k] != 0x7f);
		b.len = 0;
		buf_json(&b, in, 2);
		for (size_t k = 0; k < b.len; k++)
			assert_true((unsigned char)b.data[k] >= 0x20);
		b.len = 0;
		free(in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),   cmocka_unit_test(fixed_point),
		cmocka_unit_test(alignment), cmocka_unit_test(growth),
		cmocka_unit_test(untrusted), cmocka_unit_test(every_pair),
	};

	return cmocka_run_group_tests(tests, NULL, free_buf);
}
