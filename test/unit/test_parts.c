/* parts: what follows a probe in argdist's specifiers, and where it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "probe/parts.h"

static void add(struct buf *b, struct expr_source part)
{
	buf_fmt(b, "[%.*s]", (int)(part.end - part.start), part.text + part.start);
}

/* Types and values in turn, then condition and label. */
static void expect(const char *text, const char *want)
{
	struct expr_error err;
	struct parts p;
	struct buf b = {};

	if (!parts_parse(&p, text, 0, &err))
		fail_msg("%s: %u: %s", text, err.pos, err.text);
	for (int i = 0; i < p.nvalues; i++) {
		add(&b, p.types[i]);
		add(&b, p.values[i]);
	}
	buf_str(&b, "/");
	add(&b, p.filter);
	add(&b, p.label);
	buf_chr(&b, '\0');
	assert_string_equal(b.data, want);
	buf_free(&b);
}

static void forms(void **state)
{
	(void)state;
	expect("", "/[][]");
	expect("  ", "/[][]");
	expect(":u32:$PID", "[u32][$PID]/[][]");
	expect(" : u32 , char * : $PID , $COMM ", "[u32][$PID][char *][$COMM]/[][]");
	expect(":int:fd:fd > 2", "[int][fd]/[fd > 2][]");
	expect(":int:fd:fd > 2#descriptors: all, #1", "[int][fd]/[fd > 2][descriptors: all, #1]");
	expect(":int:fd#label", "[int][fd]/[][label]");
	expect("#label", "/[][label]");
	expect(":int:fd:", "[int][fd]/[][]");
}

static void what_ends_no_part(void **state)
{
	(void)state;
	expect(":int:a ? b : c:a ? 1 : 0", "[int][a ? b : c]/[a ? 1 : 0][]");
	expect(":int:a ? b ? 1 : 2 : 3:x", "[int][a ? b ? 1 : 2 : 3]/[x][]");
	expect(":int:f(a, b)[c, d]", "[int][f(a, b)[c, d]]/[][]");
	expect(":char*:s:STRCMP(\"a,:#\\\"\", s)", "[char*][s]/[STRCMP(\"a,:#\\\"\", s)][]");
	expect(":int:c == ':'", "[int][c == ':']/[][]");
	expect(":char*:\"no end", "[char*][\"no end]/[][]");
}

static void refuse(const char *text, u32 pos, const char *why)
{
	struct expr_error err;
	struct parts p;

	assert_false(parts_parse(&p, text, 0, &err));
	assert_int_equal(err.pos, pos);
	if (!strstr(err.text, why))
		fail_msg("%s: %s", text, err.text);
}

static void mistakes(void **state)
{
	char many[128] = ":";

	(void)state;
	refuse(":", 1, "something is missing");
	refuse(":u32", 1, "a type is followed by a value");
	refuse(":u32:", 5, "something is missing");
	refuse(":u32,:a", 5, "something is missing");
	refuse(":u32:a,b", 1, "1 types for 2 values");
	refuse(":u32,u32:a", 1, "2 types for 1 values");
	refuse("u32:a", 0, "here a colon");
	for (int i = 0; i < PARTS_VALUES + 1; i++)
		strcat(many, "u8,");
	refuse(many, 1 + 3 * PARTS_VALUES, "too many values");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(what_ends_no_part),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
