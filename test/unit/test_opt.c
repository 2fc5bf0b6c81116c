/* opt: every type of option, every way to get one wrong. Each command line is parsed in a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "applet.h"
#include "out.h"

static struct {
	bool flag, own_h;
	int number;
	u32 small;
	u64 ns;
	const char *text;
	int parsed;
} got;

static int parse_color(const char *arg, void *dst, char why[128])
{
	if (strcmp(arg, "red")) {
		snprintf(why, 128, "not a color");
		return -1;
	}
	++*(int *)dst;
	return 0;
}

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_TID('t'),
	OPT_PPID('P'),
	OPT_UID('u'),
	OPT_NAME('n'),
	OPT('x', "failed", NULL, &got.flag, "flag", .also = "f"),
	OPT('i', "number", "N", &got.number, "number", .min = 2, .max = 10, .also = "how-many"),
	OPT('s', "small", "N", &got.small, "u32"),
	OPT('m', "min-ms", "MS", &got.ns, "ms", .scale = 1000000),
	OPT('o', "text", "TEXT", &got.text, "text"),
	OPT_PARSED('c', "color", "COLOR", parse_color, &got.parsed, "parsed"),
	OPT_BUFFER_PAGES('b'),
	OPT_EXEC,
	{ 0 },
};

static const struct applet applet = {
	.name = "faketool",
	.summary = "test options",
	.options = options,
	.positionals = args_interval_count,
};

/* Its -h, -d and --json are its own. */
static const struct opt own_options[] = {
	OPT('h', "huge", NULL, &got.own_h, "own -h"),
	OPT_DURATION('d'),
	OPT('j', "json", NULL, &common.json, "print JSON my way"),
	{ 0 },
};

static const struct opt word_args[] = {
	OPT_PARSED(0, "color", NULL, parse_color, &got.parsed, "colors", .needed = true,
		   .many = true),
	{ 0 },
};

static const struct opt command_args[] = {
	OPT(0, "number", NULL, &got.number, "number", .needed = true),
	OPT(0, "command", NULL, &common.exec, "command"),
	{ 0 },
};

static const struct applet own = { .name = "faketool", .summary = "own", .options = own_options };
static const struct applet words = { .name = "faketool", .summary = "w", .positionals = word_args };
static const struct applet command = { .name = "faketool",
				       .summary = "c",
				       .positionals = command_args };

/* What a child said: "pid=1,2 flag" and so on, or its errors. */
static char said[4096];

static void say(const struct applet *a)
{
	struct bcc_filter *f = &common.filter;

	(void)a;
	for (u32 i = 0; i < f->pids.n; i++)
		printf("pid=%u ", f->pids.id[i]);
	for (u32 i = 0; i < f->tids.n; i++)
		printf("tid=%u ", f->tids.id[i]);
	if (f->ppid)
		printf("ppid=%u ", f->ppid);
	if (f->uid_plus_1)
		printf("uid=%u ", f->uid_plus_1 - 1);
	if (f->comm_len)
		printf("comm=%.*s ", (int)f->comm_len, f->comm);
	if (got.flag)
		printf("flag ");
	if (got.own_h)
		printf("own_h ");
	if (got.number)
		printf("number=%d ", got.number);
	if (got.small)
		printf("small=%u ", got.small);
	if (got.ns)
		printf("ns=%llu ", got.ns);
	if (got.text)
		printf("text=%s ", got.text);
	if (got.parsed)
		printf("parsed=%d ", got.parsed);
	if (common.interval)
		printf("interval=%d ", common.interval);
	if (common.count)
		printf("count=%d ", common.count);
	if (common.duration)
		printf("duration=%d ", common.duration);
	if (common.buffer)
		printf("buffer=%llu ", common.buffer);
	if (common.verbose)
		printf("verbose ");
	if (common.btf)
		printf("btf=%s ", common.btf);
	if (out_mode)
		printf(out_mode == OUT_JSON ? "json " : "csv ");
	for (char **arg = common.exec; arg && *arg; arg++)
		printf("exec=%s ", *arg);
	fflush(stdout);
}

/* Parses `line`, split at spaces ('' is an empty word), in a child; its exit status. */
static int parse(const struct applet *a, const char *line)
{
	char *argv[128] = { "faketool" }, text[2048];
	int argc = 1, hold[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "''") ? word : "";
	assert_int_equal(pipe(hold), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(hold[1], 1);
		dup2(hold[1], 2);
		progname = a->name;
		opt_parse(a, argc, argv);
		say(a);
		_exit(0);
	}
	close(hold[1]);
	while (len < sizeof(said) - 1 &&
	       (n = read(hold[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += n;
	said[len] = '\0';
	close(hold[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void good(const struct applet *a, const char *line, const char *expected)
{
	int status = parse(a, line);

	if (status || strcmp(said, expected))
		fail_msg("'%s': exit %d, '%s', not '%s'", line, status, said, expected);
}

/* One line that begins so; of wrong usage (2) a second one that points to --help. */
static void bad(const struct applet *a, const char *line, int status, const char *message)
{
	int is = parse(a, line);
	char *second = strchr(said, '\n');

	if (is != status || strncmp(said, message, strlen(message)) || !second)
		fail_msg("'%s': exit %d, '%s', not '%s'", line, is, said, message);
	if (strcmp(second, status == 2 ? "\nTry 'bcctool faketool --help'.\n" : "\n"))
		fail_msg("'%s': more than one line: '%s'", line, said);
}

static void nothing(void **state)
{
	(void)state;
	good(&applet, "", "");
	good(&applet, "--", "");
}

static void flags(void **state)
{
	(void)state;
	good(&applet, "-x", "flag ");
	good(&applet, "--failed --verbose", "flag verbose ");
	good(&applet, "--fail", "flag ");
	good(&applet, "-fv", "flag verbose ");
	bad(&applet, "--failed=1", 2, "faketool: option '--failed' doesn't allow an argument");
}

static void numbers(void **state)
{
	(void)state;
	good(&applet, "-i 2", "number=2 ");
	good(&applet, "-i10", "number=10 ");
	good(&applet, "--number=0xa", "number=10 ");
	good(&applet, "--how-many=3", "number=3 ");
	good(&applet, "--how_many 3", "number=3 ");
	good(&applet, "--number 010", "number=10 "); /* not octal */
	good(&applet, "-s 4294967295", "small=4294967295 ");
	good(&applet, "-m 18446744073709", "ns=18446744073709000000 ");
	good(&applet, "--min_ms 5", "ns=5000000 ");
	good(&applet, "--min_ms=5", "ns=5000000 ");
	bad(&applet, "-i 1", 2, "faketool: --number: not a number from 2 to 10: 1\n");
	bad(&applet, "-i 11", 2, "faketool: --number: not a number from 2 to 10: 11\n");
	bad(&applet, "-i abc", 2, "faketool: --number: not a number from 2 to 10: abc\n");
	bad(&applet, "-i 5x", 2, "faketool: --number: not a number from 2 to 10: 5x\n");
	bad(&applet, "-i -5", 2, "faketool: --number: not a number from 2 to 10: -5\n");
	bad(&applet, "-i +5", 2, "faketool: --number: not a number from 2 to 10: +5\n");
	bad(&applet, "-i 0x", 2, "faketool: --number: not a number from 2 to 10: 0x\n");
	bad(&applet, "-i ''", 2, "faketool: --number: not a number from 2 to 10: ''\n");
	bad(&applet, "-s 4294967296", 2,
	    "faketool: --small: not a number from 0 to 4294967295: 42");
	bad(&applet, "-s 99999999999999999999999", 2, "faketool: --small: not a number from 0");
	/* what is past 2^64 once it is in nanoseconds */
	bad(&applet, "-m 18446744073710", 2,
	    "faketool: --min-ms: not a number from 0 to 18446744073709:");
	bad(&applet, "-i", 2, "faketool: option requires an argument -- 'i'\n");
	bad(&applet, "--number", 2, "faketool: option '--number' requires an argument\n");
}

static void texts(void **state)
{
	(void)state;
	good(&applet, "-o abc", "text=abc ");
	good(&applet, "--text=-x", "text=-x ");
	good(&applet, "--text -x", "text=-x ");
	good(&applet, "-c red -c red", "parsed=2 ");
	bad(&applet, "-c blue", 2, "faketool: --color: not a color: blue\n");
}

static void ids(void **state)
{
	char line[1024], expected[256], *p = line;
	int self = getpid(), parent = getppid();

	(void)state;
	snprintf(line, sizeof(line), "-p %d", self);
	snprintf(expected, sizeof(expected), "pid=%d ", self);
	good(&applet, line, expected);
	snprintf(line, sizeof(line), "-p %d,%d -p %d", self, parent, self);
	snprintf(expected, sizeof(expected), "pid=%d pid=%d ", self, parent);
	good(&applet, line, expected);
	snprintf(line, sizeof(line), "-t %d -P %d", self, parent);
	snprintf(expected, sizeof(expected), "tid=%d ppid=%d ", self, parent);
	good(&applet, line, expected);

	bad(&applet, "-p abc", 2, "faketool: --pid: not a number from 1 to 4194304: abc\n");
	bad(&applet, "-p 0", 2, "faketool: --pid: not a number from 1 to 4194304: 0\n");
	bad(&applet, "-p 4194305", 2, "faketool: --pid: not a number from 1 to 4194304: 4194305\n");
	bad(&applet, "-p 1,", 2, "faketool: --pid: not a number from 1 to 4194304: 1,\n");
	bad(&applet, "-p ,1", 2, "faketool: --pid: not a number from 1 to 4194304: ,1\n");
	bad(&applet, "-p 1,x", 2, "faketool: --pid: not a number from 1 to 4194304: x\n");
	bad(&applet, "-p ''", 2, "faketool: --pid: not a number from 1 to 4194304: ''\n");
	for (int i = 1; i <= 33; i++)
		p += sprintf(p, "%s%d", i > 1 ? "," : "-p ", i);
	bad(&applet, line, 2, "faketool: --pid: more than 32\n");

	/* pid_max is 4194304 at most, and pids are below it */
	bad(&applet, "-p 4194304", 1, "faketool: no such process: 4194304\n");
	bad(&applet, "-t 4194304", 1, "faketool: no such thread: 4194304\n");
	bad(&applet, "-P 4194304", 1, "faketool: no such process: 4194304\n");
}

static void users(void **state)
{
	(void)state;
	good(&applet, "-u 0", "uid=0 ");
	good(&applet, "-u root", "uid=0 ");
	good(&applet, "-u 4294967294", "uid=4294967294 ");
	bad(&applet, "-u 4294967295", 2,
	    "faketool: --uid: not a number from 0 to 4294967294: 4294967295");
	bad(&applet, "-u -1", 2, "faketool: --uid: not a number from 0");
	bad(&applet, "-u ''", 2, "faketool: --uid: not a number from 0");
	bad(&applet, "-u no-such-user", 2,
	    "faketool: --uid: no such user in /etc/passwd: no-such-user\n");
}

static void comms(void **state)
{
	(void)state;
	good(&applet, "-n bash", "comm=bash ");
	good(&applet, "-n 123456789012345", "comm=123456789012345 ");
	bad(&applet, "-n 1234567890123456", 2,
	    "faketool: --name: not a name of 1 to 15 characters: 12345");
	bad(&applet, "-n ''", 2, "faketool: --name: not a name of 1 to 15 characters: ''\n");
}

static void sizes(void **state)
{
	(void)state;
	good(&applet, "--buffer 4096", "buffer=4096 ");
	good(&applet, "--buffer 4K", "buffer=4096 ");
	good(&applet, "--buffer 5k", "buffer=8192 ");
	good(&applet, "--buffer 4097", "buffer=8192 ");
	good(&applet, "--buffer 3M", "buffer=4194304 ");
	good(&applet, "--buffer 1G", "buffer=1073741824 ");
	good(&applet, "--buffer 1048576K", "buffer=1073741824 ");
	good(&applet, "-b 64", "buffer=262144 ");
	good(&applet, "-b 3", "buffer=16384 ");
	bad(&applet, "--buffer 4095", 2, "faketool: --buffer: not a size from 4K to 1G: 4095\n");
	bad(&applet, "--buffer 2G", 2, "faketool: --buffer: not a size from 4K to 1G: 2G\n");
	bad(&applet, "--buffer 1048577K", 2, "faketool: --buffer: not a size");
	bad(&applet, "--buffer 18014398509481985K", 2, "faketool: --buffer: not a size");
	bad(&applet, "--buffer K", 2, "faketool: --buffer: not a size from 4K to 1G: K\n");
	bad(&applet, "--buffer 8MB", 2, "faketool: --buffer: not a size");
	bad(&applet, "--buffer 8T", 2, "faketool: --buffer: not a size");
	bad(&applet, "--buffer -8M", 2, "faketool: --buffer: not a size");
	bad(&applet, "--buffer 00000000000000000000000000008M", 2,
	    "faketool: --buffer: not a size");
	bad(&applet, "--buffer ''", 2, "faketool: --buffer: not a size");
}

static void modes(void **state)
{
	(void)state;
	good(&applet, "--json", "json ");
	good(&applet, "--csv", "csv ");
	bad(&applet, "--json --csv", 2, "faketool: --json and --csv exclude each other\n");
	good(&applet, "--duration 3 --btf /no/file", "duration=3 btf=/no/file ");
	bad(&applet, "--duration 0", 2,
	    "faketool: --duration: not a number from 1 to 2147483647: 0\n");
	bad(&applet, "--cgroup a --container b", 2,
	    "faketool: --cgroup and --container exclude each other\n");
	bad(&applet, "--cgroup /no/such/group", 1, "faketool: --cgroup: ");
	bad(&applet, "--container nosuchcontainer", 1, "faketool: --container: ");
}

static void positionals(void **state)
{
	(void)state;
	good(&applet, "5", "interval=5 ");
	good(&applet, "5 3", "interval=5 count=3 ");
	good(&applet, "5 -x 3", "flag interval=5 count=3 ");
	good(&applet, "-x -- 5", "flag interval=5 ");
	bad(&applet, "0", 2, "faketool: interval: not a number from 1 to 2147483647: 0\n");
	bad(&applet, "1 x", 2, "faketool: count: not a number from 1 to 2147483647: x\n");
	bad(&applet, "1 2 3", 2, "faketool: too many arguments: 3\n");
	bad(&applet, "-- -x", 2, "faketool: interval: not a number from 1 to 2147483647: -x\n");
	bad(&own, "x", 2, "faketool: too many arguments: x\n");
	good(&words, "red red red", "parsed=3 ");
	bad(&words, "", 2, "faketool: color is missing\n");
	bad(&words, "red blue", 2, "faketool: color: not a color: blue\n");
	bad(&command, "", 2, "faketool: number is missing\n");
	good(&command, "1", "number=1 ");
	good(&command, "1 -- ls -l", "number=1 exec=ls exec=-l ");
}

static void commands(void **state)
{
	(void)state;
	good(&applet, "--exec ls", "exec=ls ");
	good(&applet, "-x --exec ls -l --color x", "flag exec=ls exec=-l exec=--color exec=x ");
	good(&applet, "--exec=ls -l", "exec=ls exec=-l ");
	good(&applet, "5 --exec ls -x -- 7", "interval=5 exec=ls exec=-x exec=-- exec=7 ");
	good(&applet, "5 3 --exec a b c d", "interval=5 count=3 exec=a exec=b exec=c exec=d ");
	bad(&applet, "--exec", 2, "faketool: option '--exec' requires an argument\n");
}

static void replaced(void **state)
{
	(void)state;
	good(&own, "-h", "own_h ");
	good(&own, "-d 4", "duration=4 ");
	good(&own, "-j", "json ");
	good(&own, "--json", "json ");
	assert_int_equal(parse(&own, "--help"), 0);
	assert_non_null(strstr(said, "-d, --duration SECONDS"));
	assert_non_null(strstr(said, "print JSON my way"));
	assert_null(strstr(said, "one object a line"));
	assert_null(strstr(said, "-h, --help"));
	assert_non_null(strstr(said, "--help"));
}

static void unknown(void **state)
{
	(void)state;
	bad(&applet, "--nonesuch", 2, "faketool: unrecognized option '--nonesuch'\n");
	bad(&applet, "-Z", 2, "faketool: invalid option -- 'Z'\n");
	bad(&applet, "--ebpf", 2, "faketool: --ebpf: there is no C source at run time");
	bad(&applet, "--c", 2, "faketool: option '--c' is ambiguous"); /* color, csv, cgroup ... */
}

static void helps(void **state)
{
	(void)state;
	assert_int_equal(parse(&applet, "-h"), 0);
	assert_non_null(strstr(said, "Usage: faketool [OPTION...] [interval [count]]\n"));
	assert_non_null(strstr(said, "  -p, --pid PID "));
	assert_non_null(strstr(said, "  -h, --help "));
	for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80);
	assert_int_equal(parse(&applet, "--help --nonesuch"), 0);
	assert_int_equal(parse(&applet, "-h"), 0);
	assert_non_null(strstr(said, "number (also --how-many)\n"));
	assert_non_null(strstr(said, "flag (also -f)\n"));
	assert_int_equal(parse(&applet, "-V"), 0);
	assert_int_equal(parse(&applet, "--version"), 0);
	assert_memory_equal(said, "faketool (bcctool ", 18);
	assert_int_equal(parse(&words, "--help"), 0);
	assert_non_null(strstr(said, "Usage: faketool [OPTION...] color...\n"));
}

static void pid_namespace(void **state)
{
	struct stat ns;

	(void)state;
	if (stat("/proc/self/ns/pid", &ns))
		skip();
	opt_parse(&applet, 1, (char *[]){ "faketool", NULL });
	assert_int_equal(common.filter.pidns, ns.st_ino == 0xEFFFFFFC ? 0 : ns.st_ino);
}

struct counts {
	int own, shared;
};

static void count(const struct opt *o, bool is_own, void *ctx)
{
	struct counts *n = ctx;

	(void)o;
	++*(is_own ? &n->own : &n->shared);
}

static void each(void **state)
{
	struct counts none = {}, some = {};

	(void)state;
	opt_each(&words, count, &none);
	opt_each(&own, count, &some);
	assert_int_equal(none.own, 0);
	assert_int_equal(some.own, 3);
	assert_int_equal(some.shared, none.shared - 2); /* --duration and --json are its own */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),       cmocka_unit_test(flags),
		cmocka_unit_test(numbers),       cmocka_unit_test(texts),
		cmocka_unit_test(ids),           cmocka_unit_test(users),
		cmocka_unit_test(comms),         cmocka_unit_test(sizes),
		cmocka_unit_test(modes),         cmocka_unit_test(positionals),
		cmocka_unit_test(commands),      cmocka_unit_test(replaced),
		cmocka_unit_test(unknown),       cmocka_unit_test(helps),
		cmocka_unit_test(pid_namespace), cmocka_unit_test(each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
