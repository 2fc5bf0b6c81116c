/* perfmap: rows in any order, in each other, out of date, half written, and no rows at all. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "perfmap.h"

static struct perfmap *pm;

static void load(const char *text, u32 rows)
{
	perfmap_free(pm);
	pm = NULL;
	assert_int_equal(perfmap_load_mem(&pm, text, strlen(text)), 0);
	assert_int_equal(perfmap_count(pm), rows);
}

static void expect(u64 addr, const char *name, u64 at)
{
	u64 offset = 0;
	const char *found = perfmap_find(pm, addr, &offset);

	if (!name) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, name);
	assert_int_equal(offset, at);
}

static int free_map(void **state)
{
	(void)state;
	perfmap_free(pm);
	pm = NULL;
	return 0;
}

static void rows(void **state)
{
	(void)state;
	load("2000 10 second\n1000 20 first one(int, char)\n0x3000 0x8 third\n", 3);
	expect(0xfff, NULL, 0);
	expect(0x1000, "first one(int, char)", 0);
	expect(0x101f, "first one(int, char)", 0x1f);
	expect(0x1020, NULL, 0);
	expect(0x200f, "second", 0xf);
	expect(0x2010, NULL, 0);
	expect(0x3007, "third", 7);
	expect(~0ull, NULL, 0);
}

static void junk(void **state)
{
	(void)state;
	load("", 0);
	expect(0, NULL, 0);
	load("\n\n \xff\xfe\n1000\n1000 10\n1000 10 \n1000  10 f\nx 10 f\n1000 0 nothing\n"
	     "10000000000000000 1 f\nffffffffffffffff 10 over the end\n1000 ffffffffffff much\n"
	     "5000 10 good\n6000 10 not whole",
	     1);
	expect(0x5000, "good", 0);
	expect(0x6000, NULL, 0);
	expect(0x1000, NULL, 0);
}

/* What was written later is what is there now. */
static void newest(void **state)
{
	(void)state;
	load("1000 100 old\n1000 40 new\n", 1);
	expect(0x1000, "new", 0);
	expect(0x1050, NULL, 0);
	load("1000 100 below\n1040 10 above\n", 2);
	expect(0x1044, "above", 4);
	expect(0x1050, "below", 0x50);
	load("1040 10 inner\n1000 100 newer, over it\n", 2);
	expect(0x1044, "newer, over it", 0x44);
	load("1000 1000 a\n1100 100 b\n1180 10 c\n1800 10 d\n", 4);
	expect(0x1190, "b", 0x90);
	expect(0x1700, "a", 0x700);
	expect(0x1810, "a", 0x810);
}

static void file(void **state)
{
	int fd = memfd_create("perf", MFD_CLOEXEC);
	char *longer = malloc(1 << 20);
	const char after[] = "\n2000 10 after\n";

	(void)state;
	free_map(NULL);
	memset(longer, 'n', 1 << 20);
	memcpy(longer, "1000 10 ", 8);
	assert_int_equal(write(fd, "0500 10 before\n", 15), 15);
	assert_int_equal(write(fd, longer, 1 << 20), 1 << 20);
	assert_int_equal(write(fd, after, strlen(after)), strlen(after));
	free(longer);
	assert_int_equal(perfmap_load(&pm, fd), 0);
	expect(0x500, "before", 0);
	expect(0x1000, NULL, 0); /* longer than any name */
	expect(0x200f, "after", 0xf);
	free_map(NULL);
	/* Ten gigabytes of nothing. */
	assert_int_equal(ftruncate(fd, 10ll << 30), 0);
	assert_int_equal(perfmap_load(&pm, fd), 0);
	expect(0x500, "before", 0);
	assert_true(perfmap_memory(pm) < 1 << 20);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(junk),
		cmocka_unit_test(newest),
		cmocka_unit_test(file),
	};

	return cmocka_run_group_tests(tests, NULL, free_map);
}
