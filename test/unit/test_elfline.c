/* elfline: this program's own lines, line programs made by hand, and damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "elfline.h"
#include "elfsym.h"
#include "usyms.h"

static struct elfline *l;

static int free_lines(void **state)
{
	(void)state;
	elfline_free(l);
	l = NULL;
	return 0;
}

static void expect(u64 addr, const char *file, u32 at)
{
	u32 line = 0;
	const char *found = elfline_find(l, addr, &line);

	if (!file) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, file);
	assert_int_equal(line, at);
}

/* Bytes of a section, and where the length of what is being written stands. */
static u8 image[1024];
static u32 n;

static void bytes(const void *p, u32 len)
{
	memcpy(image + n, p, len);
	n += len;
}

static void byte(u8 v)
{
	bytes(&v, 1);
}

static void word(u32 v)
{
	bytes(&v, 4);
}

static u32 open_length(void)
{
	word(0);
	return n;
}

static void close_length(u32 from)
{
	u32 len = n - from;

	memcpy(image + from - 4, &len, 4);
}

static void names_of_version_4(void)
{
	bytes("dir\0\0one.c\0\1\0\0two.h\0\1\0\0", sizeof("dir\0\0one.c\0\1\0\0two.h\0\1\0\0"));
}

/* Folder "/"; files by name and folder, the names in place: 0 and 1 are one.c. */
static void names_of_version_5(void)
{
	bytes("\1\1\x8\1/\0\2\1\x8\2\xb\3one.c\0\0one.c\0\0two.h\0",
	      sizeof("\1\1\x8\1/\0\2\1\x8\2\xb\3one.c\0\0one.c\0\0two.h\0"));
}

static void set_address(u64 addr)
{
	bytes("\0\x9\2", 3);
	bytes(&addr, 8);
}

/* 0x1000 one.c:10, 0x1004 one.c:12, 0x1010 two.h:7, the end at 0x1020. */
static void make(u16 version)
{
	u32 unit = open_length(), header;

	bytes(&version, 2);
	if (version >= 5)
		bytes("\x8\0", 2);
	header = open_length();
	byte(1);
	if (version >= 4)
		byte(1);
	bytes("\1\xfb\xe\xd\0\1\1\1\1\0\0\0\1\0\0\1", 16); /* -5, 14, 13; arguments of 1 to 12 */
	if (version >= 5)
		names_of_version_5();
	else
		names_of_version_4();
	close_length(header);
	set_address(0x1000);
	bytes("\3\x9\1", 3);           /* advance_line 9, copy */
	byte(13 + 4 * 14 + 2 + 5);     /* special: 4 bytes, 2 lines */
	bytes("\4\2\2\xc\3\x7b\1", 7); /* set_file 2, advance_pc 12, advance_line -5, copy */
	bytes("\2\x10\0\1\1", 5);      /* advance_pc 16, end_sequence */
	close_length(unit);
}

static int load(void)
{
	free_lines(NULL);
	return elfline_load_mem(&l, image, n, NULL, 0, NULL, 0);
}

static void expect_what_was_made(void)
{
	expect(0xfff, NULL, 0);
	expect(0x1000, "one.c", 10);
	expect(0x1003, "one.c", 10);
	expect(0x1004, "one.c", 12);
	expect(0x100f, "one.c", 12);
	expect(0x1010, "two.h", 7);
	expect(0x101f, "two.h", 7);
	expect(0x1020, NULL, 0);
}

static void versions(void **state)
{
	(void)state;
	for (u16 version = 2; version <= 5; version++) {
		n = 0;
		make(version);
		assert_int_equal(load(), 0);
		expect_what_was_made();
	}
	/* One unit that is not known does not cost the next. */
	n = 0;
	make(6);
	make(3);
	assert_int_equal(load(), 0);
	expect_what_was_made();
}

/* Whatever byte is wrong, and wherever the end is: no more than wrong lines. */
static void damage(void **state)
{
	u32 line, whole;

	(void)state;
	for (u16 version = 4; version <= 5; version++) {
		n = 0;
		make(version);
		whole = n;
		for (n = 0; n < whole; n++)
			assert_int_equal(load(), 0);
		for (u32 i = 0; i < whole; i++)
			for (int v = 0; v < 256; v += 5) {
				u8 was = image[i];

				image[i] = v;
				assert_int_equal(load(), 0);
				for (u64 addr = 1; addr; addr <<= 1)
					elfline_find(l, addr, &line);
				image[i] = was;
			}
	}
}

static __attribute__((noinline)) u64 caller(void)
{
	return (uintptr_t)__builtin_return_address(0);
}

/* As the compiler writes them today. */
static void own(void **state)
{
	struct usyms *us = usyms_new();
	const u64 addr = caller(), line = __LINE__;
	struct sym sym;

	(void)state;
	usyms_want_lines(us);
	assert_int_equal(usyms_find_call(us, getpid(), addr, &sym), 0);
	assert_string_equal(sym.name, "own");
	assert_non_null(sym.file);
	assert_string_equal(sym.file, "test_elfline.c");
	assert_int_equal(sym.line, line);
	usyms_free(us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		cmocka_unit_test(damage),
		cmocka_unit_test(own),
	};

	return cmocka_run_group_tests(tests, NULL, free_lines);
}
