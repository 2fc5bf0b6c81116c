/* library: names, the linker's cache made here (whole and damaged), this machine's and this
 * process's. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "library.h"

static char dir[] = "/tmp/test_library.XXXXXX";

static bool named(const char *file, const char *name)
{
	char *copy = strndup(file, strlen(file)); /* for ASan, with nothing behind it */
	bool is = library_is_named(copy, strlen(copy), name);

	free(copy);
	return is;
}

static void names(void **state)
{
	(void)state;
	assert_true(named("libc.so.6", "c"));
	assert_true(named("libc.so", "c"));
	assert_true(named("libc-2.31.so", "c"));
	assert_true(named("libc.so.6", "libc.so.6"));
	assert_true(named("libpython3.11.so.1.0", "python3.11"));
	assert_true(named("libstdc++.so.6.0.30", "stdc++"));
	assert_true(named("ld-musl-x86_64.so.1", "c"));
	assert_true(named("libc.musl-x86_64.so.1", "c.musl-x86_64"));
	assert_true(named("bash", "bash"));
	assert_false(named("libcrypt.so.1", "c"));
	assert_false(named("libc-client.so.2007", "c"));
	assert_false(named("libc.a", "c"));
	assert_false(named("libc.so6", "c"));
	assert_false(named("libc-2.31", "c"));
	assert_false(named("lib", "c"));
	assert_false(named("", "c"));
	assert_false(named("bash2", "bash"));
}

/* Entries as ldconfig writes them, the old format before it or not. */
#define NATIVE 0x0303 /* the tests below are of x86-64 */

struct entry {
	int flags;
	const char *key, *path;
	u64 hwcap;
};

static size_t make(char *cache, const struct entry *e, bool old)
{
	size_t at = 0, header, strings;
	u32 n = 0, offset;

	while (e[n].key)
		n++;
	memset(cache, 0, 4096);
	if (old) {
		memcpy(cache, "ld.so-1.7.0", 11);
		offset = 3;
		memcpy(cache + 12, &offset, 4);
		at = 56; /* 16 + 3 * 12 = 52, aligned */
	}
	header = at;
	memcpy(cache + at, "glibc-ld.so.cache1.1", 20);
	memcpy(cache + at + 20, &n, 4);
	strings = 48 + n * 24;
	for (u32 i = 0; i < n; i++) {
		char *p = cache + header + 48 + i * 24;

		memcpy(p, &e[i].flags, 4);
		offset = strings;
		memcpy(p + 4, &offset, 4);
		strings += sprintf(cache + header + strings, "%s", e[i].key) + 1;
		offset = strings;
		memcpy(p + 8, &offset, 4);
		strings += sprintf(cache + header + strings, "%s", e[i].path) + 1;
		memcpy(p + 16, &e[i].hwcap, 8);
	}
	return header + strings;
}

static const struct entry entries[] = {
	{ 3, "libc.so.6", "/lib32/libc.so.6", 0 },
	{ NATIVE, "libssl.so.1.1", "/lib/libssl.so.1.1", 0 },
	{ NATIVE, "libssl.so.3", "/lib/libssl.so.3", 0 },
	{ NATIVE, "libssl.so", "/lib/libssl.so", 0 },
	{ NATIVE, "libz.so.1", "/lib/tls/libz.so.1", 1ull << 63 },
	{ NATIVE, "libz.so.1", "/lib/libz.so.1", 0 },
	{ NATIVE, "libx.so.1", "/lib/libx.so.1", 0 },
	{ NATIVE, "libx.so.1", "/lib/glibc-hwcaps/x86-64-v9/libx.so.1", 1ull << 62 },
	{ NATIVE, "libx.so.1", "/lib/glibc-hwcaps/x86-64-v2/libx.so.1", (1ull << 62) + 1 },
	{ NATIVE, "libc.so.6", "/lib/libc.so.6", 0 },
	{ 3, "libold.so.1", "/lib32/libold.so.1", 0 },
	{ NATIVE, "librel.so.1", "librel.so.1", 0 },
	{ 0 },
};

static void cache(void **state)
{
	char data[4096];

	(void)state;
#ifndef __x86_64__
	skip();
#endif
	for (int old = 0; old < 2; old++) {
		size_t size = make(data, entries, old);

		assert_string_equal(ldcache_find(data, size, "c"), "/lib/libc.so.6");
		assert_string_equal(ldcache_find(data, size, "ssl"), "/lib/libssl.so.3");
		assert_string_equal(ldcache_find(data, size, "libssl.so.1.1"),
				    "/lib/libssl.so.1.1");
		assert_string_equal(ldcache_find(data, size, "z"), "/lib/libz.so.1");
		assert_string_equal(ldcache_find(data, size, "old"), "/lib32/libold.so.1");
		assert_string_equal(ldcache_find(data, size, "x"),
				    __builtin_cpu_supports("sse4.2")
					    ? "/lib/glibc-hwcaps/x86-64-v2/libx.so.1"
					    : "/lib/libx.so.1");
		assert_null(ldcache_find(data, size, "rel"));
		assert_null(ldcache_find(data, size, "nothing"));
	}
	assert_null(ldcache_find("", 0, "c"));
	assert_null(ldcache_find("ld.so-1.7.0 and no more", 23, "c"));
}

/* Whatever stands in a byte, whatever is missing at the end: nothing is read beyond it. */
static void damaged_cache(void **state)
{
	static const u8 values[] = { 0, 1, 0x7f, 0x80, 0xff };
	char data[4096];

	(void)state;
	for (int old = 0; old < 2; old++) {
		size_t size = make(data, entries, old);

		for (size_t at = 0; at < size; at++) {
			char *cut = malloc(at + 1);

			memcpy(cut, data, at);
			cut[at] = '\0';
			ldcache_find(cut, at, "c");
			free(cut);
			for (size_t v = 0; v < sizeof(values); v++) {
				char *copy = malloc(size + 1);
				const char *found;

				memcpy(copy, data, size);
				copy[size] = '\0';
				copy[at] = values[v];
				found = ldcache_find(copy, size, "c");
				assert_true(!found || (found > copy && found < copy + size));
				free(copy);
			}
		}
	}
}

/* As large as is read, every entry the library that is looked for, by one endless path. */
static void crowded_cache(void **state)
{
	const size_t size = 16 << 20, n = (size - 48 - 8192) / 24;
	char *data = malloc(size + 1);
	clock_t from = clock();
	u32 count = n, strings = size - 8192;

	(void)state;
	memset(data, '/', size);
	data[size] = '\0';
	memcpy(data, "glibc-ld.so.cache1.1", 20);
	memcpy(data + 20, &count, 4);
	memcpy(data + strings, "libc.so.6", 10);
	for (size_t i = 0; i < n; i++) {
		u32 entry[6] = { NATIVE, strings, strings + 10 + i % 4096 };

		memcpy(data + 48 + i * 24, entry, sizeof(entry));
	}
	ldcache_find(data, size, "c");
	assert_true(clock() - from < 5 * CLOCKS_PER_SEC);
	free(data);
}

static void expect(const char *name, u32 pid, int err, const char *text)
{
	struct library l;
	struct buf why = {};
	int got = library_open(&l, name, pid, &why);

	buf_chr(&why, '\0');
	if (got != err || !strstr(got ? why.data : l.path, text))
		fail_msg("%s: %d, %s, not '%s'", name, got, got ? why.data : l.path, text);
	if (!got) {
		struct stat st;

		assert_int_equal(why.len, 1);
		assert_int_equal(fstat(l.fd, &st), 0);
		assert_true(S_ISREG(st.st_mode) && st.st_ino == l.ino && st.st_dev == l.dev);
		library_close(&l);
	} else {
		assert_int_equal(l.fd, -1);
		assert_null(strchr(why.data, '\n'));
	}
	buf_free(&why);
}

static void write_text(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, 0755);
}

static const char *here(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void of_this_machine(void **state)
{
	(void)state;
	expect("c", 0, 0, "/libc.so.6");
	expect("libc.so.6", 0, 0, "/libc.so.6");
	expect("/bin/sh", 0, 0, "/bin/sh");
	expect("sh", 0, 0, "/sh");
	expect("nosuchlibrary", 0, -ENOENT, "give its path");
	expect("/nonexistent/x", 0, -ENOENT, "No such file");
	expect("/etc/passwd", 0, -ENOEXEC, "not an ELF file");
	expect("/dev/null", 0, -ENOEXEC, "not a file");
	expect("/etc", 0, -ENOEXEC, "not a file");
	expect("", 0, -EINVAL, "missing");
}

/* glibc 2.34 took it in; before, or with musl, it is a library of its own, or none. */
static void merged(void **state)
{
	(void)state;
#if __GLIBC__ == 2 && __GLIBC_MINOR__ >= 34
	expect("pthread", 0, 0, "/libc.so.6");
	expect("dl", 0, 0, "/libc.so.6");
	expect("pthread", getpid(), 0, "/libc.so.6");
#else
	skip();
#endif
}

static void texts(void **state)
{
	(void)state;
	write_text("libgood.so", "/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\n"
				 "GROUP ( /x/libc_nonshared.a /bin/sh.so  AS_NEEDED ( /y.so ) )\n");
	expect(here("libgood.so"), 0, -ENOENT, "/bin/sh.so");
	write_text("libc.so", "INPUT(libc.so.6 -lm)");
	expect(here("libc.so"), 0, 0, "/libc.so.6");
	write_text("libm.so", "INPUT ( AS_NEEDED ( -lc ) )");
	expect(here("libm.so"), 0, 0, "/libc.so.6");
	write_text("round.so", "GROUP ( /tmp/nothing");
	expect(here("round.so"), 0, -ENOEXEC, "not an ELF file");
	write_text("script", "#!/bin/bash -e\n");
	expect(here("script"), 0, -ENOEXEC, "probe its interpreter, /bin/bash");
	assert_int_equal(mkfifo(here("fifo"), 0600), 0);
	expect(here("fifo"), 0, -ENOEXEC, "not a file");
}

/* A script of the linker that names itself. */
static void endless(void **state)
{
	char text[300];

	(void)state;
	snprintf(text, sizeof(text), "GROUP ( %s )", here("endless.so"));
	write_text("endless.so", text);
	expect(here("endless.so"), 0, -ENOEXEC, "not an ELF file");
}

static void programs(void **state)
{
	char path[300], *before = strdup(getenv("PATH") ?: "");

	(void)state;
	write_text("sh", "#!/bin/true\n");
	write_text("only-a-script", "#!/bin/true\n");
	snprintf(path, sizeof(path), "%s:/bin", dir);
	setenv("PATH", path, 1);
	expect("sh", 0, 0, "/bin/sh");
	expect("only-a-script", 0, -ENOEXEC, "is a script");
	setenv("PATH", before, 1);
	free(before);
}

static void of_a_process(void **state)
{
	(void)state;
	expect("c", getpid(), 0, "/libc.so.6");
	expect("test_library", getpid(), 0, "/test_library");
	expect("/bin/sh", getpid(), 0, "/bin/sh");
	expect("nosuchlibrary", getpid(), -ENOENT, "has mapped no 'nosuchlibrary'");
	expect("/nonexistent", getpid(), -ENOENT, "has no '/nonexistent'");
	expect("c", 4194304, -ESRCH, "no such process: 4194304");
	expect("/bin/sh", 4194304, -ESRCH, "no such process: 4194304");
}

struct seen {
	u32 n, libc;
};

static int see(struct library *l, void *arg)
{
	struct seen *seen = arg;

	seen->n++;
	seen->libc += strstr(l->path, "/libc.so.6") != NULL;
	library_close(l);
	return 0;
}

static void all_of_a_process(void **state)
{
	struct seen seen = {};
	struct buf why = {};

	(void)state;
	assert_int_equal(library_mapped(getpid(), see, &seen, &why), 0);
	assert_true(seen.n >= 3 && seen.libc == 1); /* this program, libc, the loader, ... */
	assert_int_equal(library_mapped(4194304, see, &seen, &why), -ESRCH);
	assert_memory_equal(why.data, "no such process", 15);
	buf_free(&why);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const files[] = { "libgood.so", "libc.so", "libm.so",
					     "round.so",   "script",  "fifo",
					     "endless.so", "sh",      "only-a-script" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlink(here(files[i]));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(cache),
		cmocka_unit_test(damaged_cache),
		cmocka_unit_test(crowded_cache),
		cmocka_unit_test(of_this_machine),
		cmocka_unit_test(merged),
		cmocka_unit_test(texts),
		cmocka_unit_test(endless),
		cmocka_unit_test(programs),
		cmocka_unit_test(of_a_process),
		cmocka_unit_test(all_of_a_process),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
