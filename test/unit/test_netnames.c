/* dropreason, snmp: what the kernel's text files say of the network stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dropreason.h"
#include "snmp.h"

static int parse(const char *text, char *names[DROPREASONS])
{
	memset(names, 0, DROPREASONS * sizeof(*names));
	return dropreasons_parse(text, names);
}

static void release(char *names[DROPREASONS])
{
	for (int i = 0; i < DROPREASONS; i++)
		free(names[i]);
}

static void test_reasons(void **state)
{
	char *names[DROPREASONS];

	(void)state;
	assert_int_equal(parse("print fmt: \"reason: %s\", __print_symbolic(REC->reason, "
			       "{ 2, \"NO_SOCKET\" }, { 511, \"LAST\" }, { 512, \"PAST\" })",
			       names),
			 2);
	assert_string_equal(names[2], "NO_SOCKET");
	assert_string_equal(names[511], "LAST");
	release(names);
	assert_int_equal(parse("{ 2, \"NO_SOCKET\" }", names), 0);
	assert_int_equal(parse("__print_symbolic(REC->reason, { 2, \"NO_SOCKET", names), 0);
	assert_int_equal(parse("__print_symbolic(REC->reason, {{{ 2 }, { x, \"A\" }", names), 0);
	assert_int_equal(parse("", names), 0);
}

static u64 value(const struct snmp *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->at[i].name, name))
			return s->at[i].value;
	return -1ull;
}

static void test_counters(void **state)
{
	struct snmp s = {};

	(void)state;
	snmp_parse(&s, "Ip: InReceives OutRequests\nIp: 12 34\nUdp: NoPorts\nUdp: 5\n"
		       "Udp6NoPorts                     \t7\n");
	assert_int_equal(s.n, 4);
	assert_int_equal(value(&s, "IpInReceives"), 12);
	assert_int_equal(value(&s, "IpOutRequests"), 34);
	assert_int_equal(value(&s, "UdpNoPorts"), 5);
	assert_int_equal(value(&s, "Udp6NoPorts"), 7);
	snmp_free(&s);
}

static void test_malformed_counters(void **state)
{
	static const char *const texts[] = {
		"",       "\n\n",       "Ip:", "Ip: A B\n", "Ip: A\nIcmp: 1\n", "Ip: A B C\nIp: 1",
		":\n:\n", "name word\n"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct snmp s = {};

		snmp_parse(&s, texts[i]);
		assert_true(s.n <= 1);
		snmp_free(&s);
	}
}

static void test_difference(void **state)
{
	struct snmp before = {}, now = {};
	struct buf b = {};

	(void)state;
	snmp_parse(&before, "Ip: A B\nIp: 10 20\n");
	snmp_parse(&now, "New: C\nNew: 0\nIp: A B\nIp: 14 20\n");
	snmp_text(&b, &before, &now, 2000000000);
	buf_chr(&b, '\0');
	assert_string_equal(b.data, "IpA                             4                  2.0\n");
	buf_free(&b);
	snmp_free(&before);
	snmp_free(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_malformed_counters),
		cmocka_unit_test(test_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
