/* Paths that come as names, the nearest first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "path.h"

#define joins(names, path)                                                                         \
	do {                                                                                       \
		char to_[sizeof(names) + 1];                                                       \
                                                                                                   \
		assert_int_equal(path_join(to_, names, sizeof(names)), sizeof(path));              \
		assert_string_equal(to_, path);                                                    \
	} while (0)

static void test_join(void **state)
{
	(void)state;
	joins("file", "/file");
	joins("file\0folder", "/folder/file");
	joins("c\0b\0a", "/a/b/c");
	joins("b/c\0a", "/a/b/c");
	joins("", "/");
}

/* Not as the kernel sends them. */
static void test_odd(void **state)
{
	char to[8];

	(void)state;
	assert_int_equal(path_join(to, "", 0), 1);
	assert_string_equal(to, "");
	assert_int_equal(path_join(to, "abc", 3), 4); /* its NUL cut off */
	assert_string_equal(to, "abc");
}

static void test_event(void **state)
{
	static struct bcc_path path;
	size_t size = 100 + 6;

	(void)state;
	memcpy(path.file, "bc\0aa", 6);
	path.len = 6;
	path_event(&path, &size);
	assert_string_equal(path.file, "bc"); /* one name: as it is */
	path.full = true;
	path_event(&path, &size);
	assert_string_equal(path.file, "/aa/bc");
	assert_int_equal(path.len, 7);
	assert_int_equal(size, 100 + 7);
	path_event(&path, &size);
	assert_int_equal(size, 100 + 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
