/* util: numbers, distances, files, messages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "out.h"
#include "util.h"

static void numbers(void **state)
{
	static const char *const bad[] = { "",        " 1",  "1 ",  "+1",
					   "-1",      "1x",  "0x",  "08",
					   "1.5",     "1e3", "abc", "18446744073709551616",
					   "\xd9\xa1" };
	u64 v;

	(void)state;
	assert_true(parse_u64("18446744073709551615", UINT64_MAX, &v) && v == UINT64_MAX);
	assert_true(parse_u64("0x10", 16, &v) && v == 16);
	assert_true(parse_u64("010", 16, &v) && v == 8);
	assert_true(parse_u64("0", 0, &v) && v == 0);
	assert_false(parse_u64("17", 16, &v));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse_u64(bad[i], UINT64_MAX, &v))
			fail_msg("taken for a number: '%s'", bad[i]);
}

static void distances(void **state)
{
	(void)state;
	assert_int_equal(edit_distance("", ""), 0);
	assert_int_equal(edit_distance("opensnoop", "opensnoop"), 0);
	assert_int_equal(edit_distance("opensnop", "opensnoop"), 1);
	assert_int_equal(edit_distance("opnesnoop", "opensnoop"), 1);
	assert_int_equal(edit_distance("kitten", "sitting"), 3);
	assert_int_equal(edit_distance("", "abc"), 3);
	assert_true(edit_distance("a name that is longer than any applet's name", "x") > 10);
}

static void files(void **state)
{
	char path[] = "/tmp/test_util.XXXXXX", big[10000];
	int fd = mkstemp(path);
	size_t len = 0;
	char *text;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_true(fd >= 0);
	assert_int_equal(write(fd, big, sizeof(big)), sizeof(big));
	close(fd);
	text = read_file(path, sizeof(big), &len);
	assert_non_null(text);
	assert_int_equal(len, sizeof(big));
	assert_int_equal(strlen(text), sizeof(big));
	free(text);
	assert_null(read_file(path, sizeof(big) - 1, &len));
	assert_int_equal(errno, EFBIG);
	unlink(path);
	assert_null(read_file(path, 1, NULL));
	assert_int_equal(errno, ENOENT);
	assert_null(read_file("/", 1, NULL));
	assert_int_equal(errno, EISDIR);
}

/* Runs f() in a child with its stdout in `path`; its exit status, and its stderr in `err`. */
static int in_child(void (*f)(void), const char *path, char err[256])
{
	int hold[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(hold), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (!freopen(path, "w", stdout) || dup2(hold[1], 2) < 0)
			_exit(99);
		f();
		_exit(0);
	}
	close(hold[1]);
	n = read(hold[0], err, 255);
	err[n < 0 ? 0 : n] = '\0';
	close(hold[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void dying(void)
{
	buf_str(&out, "row\n");
	die_err(-ENOENT, "cannot open '%s'", "x");
}

static void flushing(void)
{
	buf_str(&out, "row\n");
	out_flush();
}

static void messages(void **state)
{
	char err[256];

	(void)state;
	assert_int_equal(in_child(dying, "/dev/null", err), 1);
	assert_string_equal(err, "bcctool: cannot open 'x': No such file or directory\n");
	assert_int_equal(in_child(flushing, "/dev/null", err), 0);
	assert_string_equal(err, "");
	assert_int_equal(in_child(flushing, "/dev/full", err), 1);
	assert_string_equal(err, "bcctool: cannot write the output: No space left on device\n");
	assert_int_equal(in_child(dying, "/dev/full", err), 1); /* and no endless recursion */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(distances),
		cmocka_unit_test(files),
		cmocka_unit_test(messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
