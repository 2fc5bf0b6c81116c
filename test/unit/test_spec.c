/* spec, match: every form of a probe's name, where it ends, and what is wrong with the others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "probe/match.h"
#include "probe/spec.h"
#include "util.h"

/* The parts as one string: kind, library, category, provider, name, offset; then what follows. */
static void expect(const char *text, const char *parts, const char *rest)
{
	struct spec_error err = {};
	struct spec s;
	char got[512];

	if (spec_parse(&s, text, false, &err))
		fail_msg("%s: %u: %s", text, err.at, err.text);
	snprintf(got, sizeof(got), "%c|%s|%s|%s|%s|%llu", "prtu"[s.kind], s.library, s.category,
		 s.provider, s.name, s.offset);
	assert_string_equal(got, parts);
	assert_string_equal(text + s.end, rest);
	assert_memory_equal(text + s.name_at, s.name, strlen(s.name));
	spec_free(&s);
}

static void forms(void **state)
{
	(void)state;
	expect("tcp_sendmsg", "p||||tcp_sendmsg|0", "");
	expect("p:tcp_sendmsg", "p||||tcp_sendmsg|0", "");
	expect("p::tcp_sendmsg", "p||||tcp_sendmsg|0", "");
	expect("k:tcp_sendmsg", "p||||tcp_sendmsg|0", "");
	expect("kprobe:tcp_sendmsg", "p||||tcp_sendmsg|0", "");
	expect("r:vfs_read", "r||||vfs_read|0", "");
	expect("r::vfs_read", "r||||vfs_read|0", "");
	expect("kretprobe:vfs_read", "r||||vfs_read|0", "");
	expect("c:malloc", "p|c|||malloc|0", "");
	expect("p:c:malloc", "p|c|||malloc|0", "");
	expect("r:c:malloc", "r|c|||malloc|0", "");
	expect("/lib/x y/libc.so.6:malloc", "p|/lib/x y/libc.so.6|||malloc|0", "");
	expect("./a.out:main", "p|./a.out|||main|0", "");
	expect("uprobe:/bin/bash:readline", "p|/bin/bash|||readline|0", "");
	expect("uretprobe:/bin/bash:readline", "r|/bin/bash|||readline|0", "");
	expect("t:sched:sched_switch", "t||sched||sched_switch|0", "");
	expect("tracepoint:sched:sched_switch", "t||sched||sched_switch|0", "");
	expect("u:pthread:mutex_acquired", "u|pthread|||mutex_acquired|0", "");
	expect("u:/bin/python3:python:gc__start", "u|/bin/python3||python|gc__start|0", "");
	expect("usdt:c:libc:setjmp", "u|c||libc|setjmp|0", "");
	expect("u::gc__start", "u||||gc__start|0", "");
	expect("  vfs_read", "p||||vfs_read|0", "");
	expect("p:p:f", "p|p|||f|0", "");
	expect("finish_task_switch.isra.0", "p||||finish_task_switch.isra.0|0", "");
}

static void offsets(void **state)
{
	(void)state;
	expect("vfs_read+16", "p||||vfs_read|16", "");
	expect("p::vfs_read+0x1f(x)", "p||||vfs_read|31", "(x)");
	expect("c:malloc+4 \"%d\"", "p|c|||malloc|4", " \"%d\"");
	expect("a:operator+", "p|a|||operator+|0", "");
	expect("tcp_*+0", "p||||tcp_*|0", "");
}

/* What comes after the name in trace and argdist is not taken. */
static void rests(void **state)
{
	(void)state;
	expect("do_sys_open \"%s:\", arg2", "p||||do_sys_open|0", " \"%s:\", arg2");
	expect("r::do_sys_open \"ret: %d\", retval", "r||||do_sys_open|0", " \"ret: %d\", retval");
	expect("c:open (arg2 == 42) \"%s\", arg1", "p|c|||open|0", " (arg2 == 42) \"%s\", arg1");
	expect("p::tcp_sendmsg(struct sock *sk, size_t n):u32:n", "p||||tcp_sendmsg|0",
	       "(struct sock *sk, size_t n):u32:n");
	expect("t:raw_syscalls:sys_enter():int:args->id", "t||raw_syscalls||sys_enter|0",
	       "():int:args->id");
	expect("u:pthread:mutex_acquired():u64:arg1#lock", "u|pthread|||mutex_acquired|0",
	       "():u64:arg1#lock");
	expect("r:c:read()#reads", "r|c|||read|0", "()#reads");
	expect("t:block:block_rq_issue#issue", "t||block||block_rq_issue|0", "#issue");
	expect("vfs_read\"%d\"", "p||||vfs_read|0", "\"%d\"");
	expect("p:/a(b) c:f(int x):int:x", "p|/a(b) c|||f|0", "(int x):int:x");
}

static void other_languages(void **state)
{
	(void)state;
	expect("go:os.(*File).Read", "p|go|||os.(*File).Read|0", "");
	expect("go:os.(*File).Read(x)", "p|go|||os.(*File).Read|0", "(x)");
	expect("go:net/http.(*Server).Serve", "p|go|||net/http.(*Server).Serve|0", "");
	expect("go:os.*", "p|go|||os.*|0", "");
	expect("p:./app:ns::Class::method:u32:1", "p|./app|||ns::Class::method|0", ":u32:1");
}

static void expect_error(const char *text, u32 at, const char *says)
{
	struct spec_error err = {};
	struct spec s;

	assert_int_equal(spec_parse(&s, text, false, &err), -EINVAL);
	assert_int_equal(err.at, at);
	if (!strstr(err.text, says))
		fail_msg("%s: %s", text, err.text);
}

static void errors(void **state)
{
	(void)state;
	expect_error("", 0, "name is missing");
	expect_error("p:", 2, "name is missing");
	expect_error("p::", 3, "name is missing");
	expect_error("c:", 2, "name is missing");
	expect_error(":read", 0, "library is missing");
	expect_error("\"%d\"", 0, "name is missing");
	expect_error("t:sched_switch", 2, "t:CATEGORY:EVENT");
	expect_error("t::sched_switch", 2, "t:CATEGORY:EVENT");
	expect_error("u:probe", 2, "u:LIBRARY:PROBE");
	expect_error("kprobe:c:read", 7, "no library");
	expect_error("uprobe:read", 7, "library or program");
	expect_error("vfs_read+16x", 9, "offset");
	expect_error("vfs_read+99999999999", 9, "offset");
	expect_error("r::vfs_read+4", 11, "offset");
	expect_error("tcp_*+4", 5, "whole name");
	expect_error("/bin/bash", 9, ":FUNCTION");
	expect_error("vfs\x01read", 3, "control");
	expect_error("c:::read", 2, "colon");
}

static void carets(void **state)
{
	struct spec_error err = { 9, "wrong" };
	struct buf b = {};

	(void)state;
	spec_caret(&b, "one\ntwo\nt\x01x\nthree", &err);
	buf_chr(&b, '\0');
	assert_string_equal(b.data, "wrong\n  t\\x01x\n   ^");
	buf_free(&b);
}

static void regular_expressions(void **state)
{
	struct spec_error err;
	struct spec s;

	(void)state;
	assert_int_equal(spec_parse(&s, "^vfs_[[:alpha:]]+ (x)$", true, &err), 0);
	assert_string_equal(s.name, "^vfs_[[:alpha:]]+ (x)$");
	assert_string_equal(s.library, "");
	assert_int_equal(s.match, MATCH_REGEX);
	spec_free(&s);
	assert_int_equal(spec_parse(&s, "c:^(re)?alloc$", true, &err), 0);
	assert_string_equal(s.library, "c");
	assert_string_equal(s.name, "^(re)?alloc$");
	spec_free(&s);
	assert_int_equal(spec_parse(&s, "t:block:block_rq_.*", true, &err), 0);
	assert_string_equal(s.category, "block");
	assert_string_equal(s.name, "block_rq_.*");
	spec_free(&s);
}

static bool matches(enum match_kind kind, const char *pattern, const char *name)
{
	struct match m;
	char why[80];
	bool yes;

	assert_int_equal(match_init(&m, pattern, kind, why), 0);
	yes = match_test(&m, name);
	match_free(&m);
	return yes;
}

static void patterns(void **state)
{
	struct match m;
	char why[80] = "";

	(void)state;
	assert_true(matches(MATCH_EXACT, "vfs_read", "vfs_read"));
	assert_false(matches(MATCH_EXACT, "vfs_read", "vfs_readv"));
	assert_false(matches(MATCH_EXACT, "vfs_read", "vfs_rea"));
	assert_true(matches(MATCH_GLOB, "*", "x"));
	assert_true(matches(MATCH_GLOB, "tcp_*msg", "tcp_sendmsg"));
	assert_false(matches(MATCH_GLOB, "tcp_*msg", "tcp_sendmsg_locked"));
	assert_true(matches(MATCH_GLOB, "vfs_re?d", "vfs_read"));
	assert_true(matches(MATCH_GLOB, "vfs_[rw]*", "vfs_write"));
	assert_false(matches(MATCH_GLOB, "vfs_[!rw]*", "vfs_write"));
	/* From the start, and to wherever the expression goes: Python's re.match(). */
	assert_true(matches(MATCH_REGEX, "^vfs_.*", "vfs_read"));
	assert_true(matches(MATCH_REGEX, "vfs_re", "vfs_read"));
	assert_false(matches(MATCH_REGEX, "read", "vfs_read"));
	assert_false(matches(MATCH_REGEX, "vfs_re$", "vfs_read"));
	assert_true(matches(MATCH_REGEX, "vfs_(read|write)$", "vfs_write"));
	assert_true(matches(MATCH_REGEX, "vfs|tcp", "tcp_ack"));
	assert_true(matches(MATCH_REGEX, "vfsx?_read", "vfs_read"));
	assert_true(matches(MATCH_REGEX, "^x*vfs_read", "vfs_read"));
	assert_true(matches(MATCH_REGEX, "vfs{0}_read", "vf_read"));
	assert_true(matches(MATCH_REGEX, "x\\.isra", "x.isra.0"));
	assert_int_equal(match_init(&m, "vfs_(", MATCH_REGEX, why), -EINVAL);
	assert_true(why[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(offsets),
		cmocka_unit_test(rests),
		cmocka_unit_test(other_languages),
		cmocka_unit_test(errors),
		cmocka_unit_test(carets),
		cmocka_unit_test(regular_expressions),
		cmocka_unit_test(patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
