/* resolve: user sites of a file that is here for certain, this one; what is said of mistakes. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "probe/resolve.h"

/* Found by their names in this program's own symbol table. */
int subject_one(int x);
int subject_two(int x);

int __attribute__((noinline)) subject_one(int x)
{
	__asm__ volatile("");
	return x * 3;
}

int __attribute__((noinline)) subject_two(int x)
{
	__asm__ volatile("");
	return x * 5;
}

static char self[4096 + 16];

static int add(struct sites *s, const char *name, bool regex, struct spec_error *err)
{
	struct spec spec;
	char text[sizeof(self) + 128];
	int ret;

	snprintf(text, sizeof(text), name, self);
	assert_int_equal(spec_parse(&spec, text, regex, err), 0);
	ret = sites_add(s, &spec, 0, err);
	spec_free(&spec);
	return ret;
}

/* Where in this file the function's code is: the kernel is given that. */
static bool is_code_of(const struct site *site, int (*function)(int))
{
	u8 code[8];
	int fd = open("/proc/self/exe", O_RDONLY);
	bool same = pread(fd, code, sizeof(code), site->offset) == sizeof(code) &&
		    !memcmp(code, (const void *)function, sizeof(code));

	close(fd);
	return same;
}

static void functions(void **state)
{
	struct spec_error err;
	struct sites s = {};

	(void)state;
	assert_int_equal(add(&s, "%s:subject_one", false, &err), 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.at[0].name, "subject_one");
	assert_int_equal(s.at[0].kind, SPEC_ENTRY);
	assert_true(is_code_of(&s.at[0], subject_one));
	assert_int_equal(add(&s, "r:%s:subject_*", false, &err), 0);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.at[1].kind, SPEC_RETURN);
	assert_ptr_equal(s.at[1].in, s.at[0].in);
	assert_int_equal(add(&s, "%s:subject_(one|two)$", true, &err), 0);
	assert_int_equal(s.n, 5);
	sites_unique(&s);
	assert_int_equal(s.n, 4);
	sites_free(&s);
	assert_int_equal(s.n, 0);
}

static void offsets(void **state)
{
	struct spec_error err;
	struct sites s = {};

	(void)state;
	assert_int_equal(add(&s, "%s:subject_one+0x100000", false, &err), -ERANGE);
	assert_int_equal(err.at, strlen(self) + 1);
	assert_int_equal(s.n, 0);
	sites_free(&s);
}

static void mistakes(void **state)
{
	struct spec_error err;
	struct sites s = {};

	(void)state;
	assert_int_equal(add(&s, "%s:probed_three", false, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no function"));
	assert_int_equal(err.at, strlen(self) + 1);
	assert_int_equal(add(&s, "/nonexistent:f%.0s", false, &err), -ENOENT);
	assert_int_equal(err.at, 0);
	assert_int_equal(add(&s, "%s:probed_(", true, &err), -EINVAL);
	assert_non_null(strstr(err.text, "regular expression"));
	assert_int_equal(add(&s, "u:%s:nothing", false, &err), -ENOENT);
	assert_non_null(strstr(err.text, "USDT"));
	assert_int_equal(add(&s, "u::nothing%.0s", false, &err), -EINVAL);
	assert_int_equal(s.n, 0);
	sites_free(&s);
}

/* Of two kernel functions of one name and place one stays; an offset makes another place. */
static void unique(void **state)
{
	struct sites s = {};

	(void)state;
	assert_non_null(sites_new(&s, SPEC_ENTRY, "vfs_read"));
	assert_non_null(sites_new(&s, SPEC_RETURN, "vfs_read"));
	assert_non_null(sites_new(&s, SPEC_ENTRY, "vfs_read"));
	s.at[2].traceable = true;
	assert_non_null(sites_new(&s, SPEC_ENTRY, "vfs_read"));
	s.at[3].offset = 4;
	assert_non_null(sites_new(&s, SPEC_ENTRY, "vfs_open"));
	sites_unique(&s);
	assert_int_equal(s.n, 4);
	assert_string_equal(s.at[0].name, "vfs_open");
	assert_string_equal(s.at[1].name, "vfs_read");
	assert_true(s.at[1].traceable);
	assert_int_equal(s.at[2].offset, 4);
	assert_int_equal(s.at[3].kind, SPEC_RETURN);
	sites_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions),
		cmocka_unit_test(offsets),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(unique),
	};

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL) + (subject_one(0) + subject_two(0));
}
