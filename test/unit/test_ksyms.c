/* ksyms: a made-up table, hidden addresses, rubbish, and this machine's own table. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ksyms.h"

static const char table[] = "0000000000000000 A fixed_percpu_data\n"
			    "ffffffff81000000 T _text\n"
			    "ffffffff81000000 T startup_64\n"
			    "ffffffff81000040 T __pfx_vfs_read\n"
			    "ffffffff81000050 t __do_vfs_read\n"
			    "ffffffff81000050 T vfs_read\n"
			    "ffffffff81000100 W arch_hook\n"
			    "ffffffff81000180 t twice\n"
			    "ffffffff81000200 T _etext\n"
			    "ffffffff81000200 R some_table\n"
			    "ffffffff81000300 d more_data\n"
			    "ffffffff81000400 t twice\n"
			    "ffffffff81000480 b bss\n"
			    "ffffffffc0002000 t ext4_write\t[ext4]\n"
			    "ffffffffc0001000 t xfs_read\t[xfs]\n"
			    "ffffffffc0002080 t twice\t[ext4]\n"
			    "ffffffffc0001080 d xfs_ops\t[xfs]\n"
			    "ffffffffc0300000 t bpf_prog_6deef7357e7b4530\t[bpf]\n";

static struct ksyms *with(const char *text, size_t size)
{
	char path[] = "/tmp/test_ksyms.XXXXXX";
	int fd = mkstemp(path);
	struct ksyms *ks = ksyms_new(path);

	assert_true(fd >= 0);
	assert_non_null(ks);
	assert_int_equal(write(fd, text, size), size);
	close(fd);
	ksyms_load(ks);
	unlink(path);
	return ks;
}

static void check(struct ksyms *ks, u64 addr, const char *expected)
{
	struct buf b = {};
	struct sym s;
	int err = ksyms_find(ks, addr, &s);

	sym_text(&b, &s, true);
	assert_int_equal(err, strcmp(expected, "[unknown]") ? 0 : -ENOENT);
	buf_chr(&b, '\0');
	assert_string_equal(b.data, expected);
	buf_free(&b);
}

static void names_of_addresses(void **state)
{
	struct ksyms *ks = with(table, sizeof(table) - 1);
	struct sym s;

	(void)state;
	check(ks, 0, "[unknown]");
	check(ks, 0xffffffff80ffffff, "[unknown]");
	check(ks, 0xffffffff81000000, "startup_64+0x0");
	check(ks, 0xffffffff8100003f, "startup_64+0x3f");
	check(ks, 0xffffffff81000040, "[unknown]"); /* padding */
	check(ks, 0xffffffff81000050, "vfs_read+0x0");
	check(ks, 0xffffffff810000ff, "vfs_read+0xaf");
	check(ks, 0xffffffff81000100, "arch_hook+0x0");
	check(ks, 0xffffffff81000210, "_etext+0x10");
	check(ks, 0xffffffff81000310, "[unknown]"); /* data ends code */
	check(ks, 0xffffffff81000481, "[unknown]");
	check(ks, 0xffffffffc0001010, "xfs_read+0x10");
	check(ks, 0xffffffffc0001090, "[unknown]");
	check(ks, 0xffffffffc0002010, "ext4_write+0x10");
	check(ks, 0xffffffffc02fffff, "[unknown]"); /* far past the last of ext4 */
	check(ks, ~0ull, "[unknown]");

	assert_int_equal(ksyms_find(ks, 0xffffffffc0002010, &s), 0);
	assert_int_equal(s.kind, SYM_KERNEL);
	assert_string_equal(s.module, "[ext4]");
	assert_int_equal(ksyms_find(ks, 0xffffffffc0300010, &s), 0);
	assert_string_equal(s.module, "[bpf]");
	assert_int_equal(ksyms_find(ks, 0xffffffff81000051, &s), 0);
	assert_null(s.module);
	assert_int_equal(s.offset, 1);
	ksyms_free(ks);
}

static void addresses_of_names(void **state)
{
	struct ksyms *ks = with(table, sizeof(table) - 1);
	u64 addr = 0;

	(void)state;
	assert_int_equal(ksyms_address(ks, "__do_vfs_read", NULL, &addr), 1);
	assert_int_equal(addr, 0xffffffff81000050);
	assert_int_equal(ksyms_address(ks, "twice", NULL, &addr), 3);
	assert_int_equal(addr, 0xffffffff81000180);
	assert_int_equal(ksyms_address(ks, "twice", "", &addr), 2);
	assert_int_equal(ksyms_address(ks, "twice", "[ext4]", &addr), 1);
	assert_int_equal(addr, 0xffffffffc0002080);
	assert_int_equal(ksyms_address(ks, "twice", "[nfs]", &addr), -ENOENT);
	assert_int_equal(ksyms_address(ks, "some_table", NULL, &addr), -ENOENT);
	assert_int_equal(ksyms_address(ks, "", NULL, &addr), -ENOENT);
	ksyms_free(ks);
}

static void hidden_addresses(void **state)
{
	static const char text[] = "0000000000000000 T _text\n0000000000000000 t x\t[ext4]\n";
	struct ksyms *ks = with(text, sizeof(text) - 1);
	struct sym s;

	(void)state;
	assert_int_equal(ksyms_load(ks), -EPERM);
	assert_non_null(strstr(ksyms_why(ks), "kptr_restrict"));
	assert_int_equal(ksyms_find(ks, 0xffffffff81000000, &s), -EPERM);
	assert_int_equal(s.kind, SYM_NONE);
	assert_int_equal(s.err, -EPERM);
	ksyms_free(ks);
}

static void absent_and_empty(void **state)
{
	struct ksyms *ks = ksyms_new("/nonexistent/kallsyms");

	(void)state;
	assert_int_equal(ksyms_load(ks), -ENOENT);
	assert_non_null(strstr(ksyms_why(ks), "CONFIG_KALLSYMS"));
	ksyms_free(ks);
	ks = with("", 0);
	assert_int_equal(ksyms_load(ks), -ENODATA);
	ksyms_free(ks);
	ks = with("ffffffff81000000 D data\n", 24);
	assert_int_equal(ksyms_load(ks), -ENODATA);
	ksyms_free(ks);
}

/* The good lines among bad ones are kept. A line longer than any buffer is none. */
static void rubbish(void **state)
{
	static const char bad[] = "\n \nffffffff81000000\nffffffff81000000 T\nxyz T name\n"
				  "ffffffff81000000 T \n11112222333344445 T too_long\n\t\t\t\n"
				  "ffffffff81000010 T \t[m]\nffffffff81000020 T ok\t\n";
	size_t big = 600 << 10;
	char *text = malloc(big + 2 * sizeof(table));
	struct ksyms *ks;

	(void)state;
	memcpy(text, bad, sizeof(bad) - 1);
	memset(text + sizeof(bad) - 1, 'x', big);
	memcpy(text + sizeof(bad) - 1 + big, "\nffffffff81000030 t last", 24);
	ks = with(text, sizeof(bad) - 1 + big + 24);
	assert_int_equal(ksyms_load(ks), 0);
	check(ks, 0xffffffff81000021, "ok+0x1");
	check(ks, 0xffffffff81000031, "last+0x1");
	ksyms_free(ks);
	srand(1);
	for (int round = 0; round < 200; round++) {
		memcpy(text, table, sizeof(table));
		for (int i = 0; i < 20; i++)
			text[rand() % (sizeof(table) - 1)] = rand();
		ks = with(text, rand() % sizeof(table));
		for (u64 a = 0xffffffff81000000; a < 0xffffffff81000500; a += 16) {
			struct sym s;

			ksyms_find(ks, a, &s);
		}
		ksyms_free(ks);
	}
	free(text);
}

/* 200,000 lines: in order, found again, and no larger than said. */
static void large(void **state)
{
	const u32 n = 200000;
	char *text = malloc(n * 64), *p = text;
	struct ksyms *ks;

	(void)state;
	for (u32 i = 0; i < n; i++) {
		u32 k = i < n / 2 ? i : n / 2 + i * 7919ull % (n / 2);

		p += sprintf(p, "%016llx t function_%u%s\n", 0xffffffff81000000ull + k * 64ull, k,
			     i < n / 2 ? "" : "\t[big]");
	}
	ks = with(text, p - text);
	assert_int_equal(ksyms_count(ks), n);
	assert_true(ksyms_memory(ks) < 8 << 20);
	for (u32 i = 0; i < n; i += 97) {
		char name[32];

		snprintf(name, sizeof(name), "function_%u+0x3f", i);
		check(ks, 0xffffffff81000000 + i * 64ull + 63, name);
	}
	ksyms_free(ks);
	free(text);
}

static void own_kernel(void **state)
{
	struct ksyms *ks = ksyms_new(NULL);
	int err = ksyms_load(ks);
	struct sym s;
	u64 addr;

	(void)state;
	if (err) {
		assert_true(err == -EPERM || err == -ENOENT);
		ksyms_free(ks);
		skip();
	}
	assert_true(ksyms_address(ks, "vfs_read", "", &addr) >= 1);
	assert_int_equal(ksyms_find(ks, addr + 3, &s), 0);
	assert_string_equal(s.name, "vfs_read");
	assert_int_equal(s.offset, 3);
	ksyms_free(ks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_addresses),
		cmocka_unit_test(addresses_of_names),
		cmocka_unit_test(hidden_addresses),
		cmocka_unit_test(absent_and_empty),
		cmocka_unit_test(rubbish),
		cmocka_unit_test(large),
		cmocka_unit_test(own_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
