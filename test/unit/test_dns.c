/* dns: answers as they are, and as nobody should send them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dns.h"

static u8 seen[64][16];
static int n_seen;

static void each(const u8 addr[16], const char *name, void *ctx)
{
	(void)name;
	assert_ptr_equal(ctx, &n_seen);
	if (n_seen < 64)
		memcpy(seen[n_seen], addr, 16);
	n_seen++;
}

/* On the heap at its exact size, so that a read past it is found. */
static int parse(const void *packet, size_t size, char name[DNS_NAME_MAX])
{
	u8 *copy = malloc(size + !size);
	int n;

	memcpy(copy, packet, size);
	n_seen = 0;
	memset(name, 'x', DNS_NAME_MAX);
	n = dns_parse(copy, size, name, each, &n_seen);
	free(copy);
	assert_int_equal(n, n_seen);
	assert_non_null(memchr(name, '\0', DNS_NAME_MAX));
	return n;
}

#define HEAD(questions, answers) "\x12\x34\x81\x80\0" questions "\0" answers "\0\0\0\0"
#define QUESTION                 "\7example\3org\0\0\1\0\1"
#define A(addr)                  "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" addr
#define CNAME                    "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1w\xc0\x0c"
#define AAAA                     "\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\7"

static const char good[] = HEAD("\1", "\4") QUESTION CNAME A("\xc0\0\2\1") AAAA A("\xc0\0\2\2");

static void answers(void **state)
{
	static const u8 first[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 };
	static const u8 second[16] = { 0xfd, [15] = 7 };
	char name[DNS_NAME_MAX];

	(void)state;
	assert_int_equal(parse(good, sizeof(good) - 1, name), 3);
	assert_string_equal(name, "example.org");
	assert_memory_equal(seen[0], first, 16);
	assert_memory_equal(seen[1], second, 16);
	assert_int_equal(seen[2][15], 2);
}

static void not_answers(void **state)
{
	static const char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION;
	static const char status[] = "\x12\x34\x91\x80\0\1\0\1\0\0\0\0" QUESTION A("aaaa");
	static const char two[] = HEAD("\2", "\1") QUESTION QUESTION A("aaaa");
	static const char none[] = HEAD("\1", "\0") QUESTION;
	static const char odd_class[] =
		HEAD("\1", "\1") QUESTION "\xc0\x0c\0\1\0\3\0\0\0\x3c\0\4aaaa";
	static const char odd_length[] =
		HEAD("\1", "\1") QUESTION "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\5aaaaa";
	char name[DNS_NAME_MAX];

	(void)state;
	assert_int_equal(parse("", 0, name), 0);
	assert_int_equal(parse(query, sizeof(query) - 1, name), 0);
	assert_int_equal(parse(status, sizeof(status) - 1, name), 0);
	assert_int_equal(parse(two, sizeof(two) - 1, name), 0);
	assert_int_equal(parse(none, sizeof(none) - 1, name), 0);
	assert_int_equal(parse(odd_class, sizeof(odd_class) - 1, name), 0);
	assert_int_equal(parse(odd_length, sizeof(odd_length) - 1, name), 0);
}

static void cut_short(void **state)
{
	char name[DNS_NAME_MAX];
	int before = 0;

	(void)state;
	for (size_t size = 0; size < sizeof(good); size++) {
		int n = parse(good, size, name);

		assert_true(n == before || n == before + 1);
		before = n;
	}
	assert_int_equal(before, 3);
}

static void names_in_circles(void **state)
{
	static const char itself[] = HEAD("\1", "\1") "\xc0\x0c\0\1\0\1" A("aaaa");
	static const char forward[] = HEAD("\1", "\1") "\xc0\x0e\0\1\0\1" A("aaaa");
	static const char around[] = HEAD("\1", "\1") "\1a\xc0\x0c\0\1\0\1" A("aaaa");
	static const char header[] = HEAD("\1", "\1") "\xc0\x04\0\1\0\1" A("aaaa");
	static const char reserved[] = HEAD("\1", "\1") "\x80zz\0\0\1\0\1" A("aaaa");
	char name[DNS_NAME_MAX];

	(void)state;
	assert_int_equal(parse(itself, sizeof(itself) - 1, name), 0);
	assert_int_equal(parse(forward, sizeof(forward) - 1, name), 0);
	assert_int_equal(parse(around, sizeof(around) - 1, name), 0);
	assert_int_equal(parse(header, sizeof(header) - 1, name), 0);
	assert_int_equal(parse(reserved, sizeof(reserved) - 1, name), 0);
}

/* Whom an answer is about is not read: the name is that of the question. */
static void owners_in_circles(void **state)
{
	static const char packet[] = HEAD("\1", "\2") QUESTION /* and from 29 and 45: */
		"\xc0\x1d\0\1\0\1\0\0\0\x3c\0\4aaaa"
		"\1b\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4bbbb";
	char name[DNS_NAME_MAX];

	(void)state;
	assert_int_equal(parse(packet, sizeof(packet) - 1, name), 2);
	assert_string_equal(name, "example.org");
	assert_int_equal(seen[0][15], 'a');
	assert_int_equal(seen[1][15], 'b');
}

/* The longest name that there may be, and one label more. */
static void long_names(void **state)
{
	char packet[512], name[DNS_NAME_MAX];

	(void)state;
	for (int labels = 126; labels <= 128; labels++) {
		size_t at = 12;

		memcpy(packet, HEAD("\1", "\1"), 12);
		for (int i = 0; i < labels; i++) {
			packet[at++] = 1;
			packet[at++] = 'a';
		}
		packet[at++] = '\0';
		memcpy(packet + at, "\0\1\0\1" A("aaaa"), 20);
		assert_int_equal(parse(packet, at + 20, name), labels <= 127);
		if (labels <= 127)
			assert_int_equal(strlen(name), 2 * labels - 1);
	}
}

static void noise(void **state)
{
	char packet[sizeof(good)], name[DNS_NAME_MAX];

	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		memcpy(packet, good, sizeof(good));
		for (int n = rand() % 8; n >= 0; n--)
			packet[rand() % sizeof(good)] = rand();
		if (i % 2) {
			packet[2] = (char)0x81;
			packet[5] = 1;
		}
		parse(packet, rand() % sizeof(good), name);
	}
}

static void memory(void **state)
{
	const u64 second = 1000000000;
	u8 addr[16] = { 0xfd };
	const char *name;
	int known = 0;
	u64 age;

	(void)state;
	assert_null(dns_recall(addr, second, &age));
	dns_remember(addr, "one", second);
	dns_remember(addr, "two", 2 * second);
	name = dns_recall(addr, 5 * second, &age);
	assert_string_equal(name, "two");
	assert_true(age == 3 * second);
	assert_null(dns_recall(addr, 90000 * second, &age));
	for (u32 i = 0; i < 100000; i++) {
		memcpy(addr + 8, &i, 4);
		dns_remember(addr, "many", (3 + i) * second);
		assert_non_null(dns_recall(addr, (3 + i) * second, &age));
	}
	for (u32 i = 0; i < 100000; i++) {
		memcpy(addr + 8, &i, 4);
		known += !!dns_recall(addr, 100003 * second, &age);
	}
	assert_true(known > 9000 && known <= 10240);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(not_answers),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(names_in_circles),
		cmocka_unit_test(owners_in_circles),
		cmocka_unit_test(long_names),
		cmocka_unit_test(noise),
		cmocka_unit_test(memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
