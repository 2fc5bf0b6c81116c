/* pair: what has an entry and a return is numbered, what lacks one is left out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probe/pair.h"

static const struct file *const file = (void *)64; /* only compared */

static void add(struct sites *s, enum spec_kind kind, const char *name, const struct file *in,
		u64 offset, bool at_ret)
{
	struct site *site = sites_new(s, kind, name);

	assert_non_null(site);
	site->in = in;
	site->offset = offset;
	site->at_ret = at_ret;
}

static void both(void **state)
{
	struct sites s = {};

	(void)state;
	add(&s, SPEC_ENTRY, "vfs_write", NULL, 0, false);
	add(&s, SPEC_ENTRY, "vfs_read", NULL, 0, false);
	add(&s, SPEC_RETURN, "vfs_read", NULL, 0, false);
	add(&s, SPEC_RETURN, "vfs_write", NULL, 0, false);
	add(&s, SPEC_ENTRY, "vfs_read", NULL, 0, false); /* twice: another pattern meant it too */
	assert_int_equal(pairs_number(&s), 2);
	assert_int_equal(s.n, 4);
	for (u32 f = 0; f < 2; f++) {
		const char *name = f ? "vfs_write" : "vfs_read";

		assert_int_equal(s.at[f].kind, SPEC_RETURN);
		assert_string_equal(s.at[f].name, name);
		assert_int_equal(s.at[f].number, f << CALL_SHIFT | CALL_RETURN);
		assert_int_equal(s.at[2 + f].kind, SPEC_ENTRY);
		assert_string_equal(s.at[2 + f].name, name);
		assert_int_equal(s.at[2 + f].number, f << CALL_SHIFT);
	}
	sites_free(&s);
}

static void one_is_missing(void **state)
{
	struct sites s = {};

	(void)state;
	add(&s, SPEC_ENTRY, "a", NULL, 0, false);
	add(&s, SPEC_ENTRY, "b", NULL, 0, false);
	add(&s, SPEC_RETURN, "b", file, 0, false); /* of another's */
	add(&s, SPEC_RETURN, "c", NULL, 0, false);
	assert_int_equal(pairs_number(&s), 0);
	assert_int_equal(s.n, 0);
	add(&s, SPEC_ENTRY, "a", NULL, 0, false);
	add(&s, SPEC_ENTRY, "c", NULL, 0, false);
	add(&s, SPEC_RETURN, "c", NULL, 0, false);
	assert_int_equal(pairs_number(&s), 1);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.at[1].name, "c");
	assert_int_equal(s.at[1].number, 0);
	sites_free(&s);
	assert_int_equal(pairs_number(&s), 0);
}

/* Static functions may share a name; each returns where it began, as uretprobes see it. */
static void one_name(void **state)
{
	struct sites s = {};

	(void)state;
	add(&s, SPEC_ENTRY, "helper", file, 0x100, false);
	add(&s, SPEC_ENTRY, "helper", file, 0x200, false);
	add(&s, SPEC_RETURN, "helper", file, 0x200, false);
	add(&s, SPEC_RETURN, "helper", file, 0x100, false);
	assert_int_equal(pairs_number(&s), 2);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(s.at[i].offset, s.at[2 + i].offset);
		assert_int_equal(s.at[i].number, s.at[2 + i].number | CALL_RETURN);
	}
	assert_int_not_equal(s.at[0].number, s.at[1].number);
	sites_free(&s);
}

/* Of a Go function all return instructions are sites. */
static void go(void **state)
{
	struct sites s = {};

	(void)state;
	add(&s, SPEC_ENTRY, "main.work", file, 0x1000, false);
	add(&s, SPEC_RETURN, "main.work", file, 0x1080, true);
	add(&s, SPEC_RETURN, "main.work", file, 0x1040, true);
	add(&s, SPEC_ENTRY, "main.never", file, 0x2000, false);
	assert_int_equal(pairs_number(&s), 1);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.at[0].number, CALL_RETURN | CALL_GO);
	assert_int_equal(s.at[1].number, CALL_RETURN | CALL_GO);
	assert_int_equal(s.at[2].number, CALL_GO);
	assert_int_equal(s.at[2].offset, 0x1000);
	sites_free(&s);
}

static int check(const char *text, struct spec_error *err)
{
	struct spec spec;
	int ret;

	assert_int_equal(spec_parse(&spec, text, false, err), 0);
	ret = pairs_check(&spec, err);
	spec_free(&spec);
	return ret;
}

static void refused(void **state)
{
	struct spec_error err;

	(void)state;
	assert_int_equal(check("vfs_read", &err), 0);
	assert_int_equal(check("p:c:malloc", &err), 0);
	assert_int_equal(check("r:vfs_read", &err), -EINVAL);
	assert_int_equal(err.at, 2);
	assert_string_equal(err.text, "name the function itself: its return is probed anyway");
	assert_int_equal(check("vfs_read+4", &err), -EINVAL);
	assert_int_equal(check("t:sched:sched_switch", &err), -EINVAL);
	assert_int_equal(err.at, 8);
	assert_int_equal(check("u:c:setjmp", &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both),     cmocka_unit_test(one_is_missing),
		cmocka_unit_test(one_name), cmocka_unit_test(go),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
