/* pprof: what is written is taken apart again, field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "pprof.h"
#include "stackset.h"

static u8 message[1 << 16];

static size_t inflated(const struct buf *b)
{
	z_stream z = { .next_in = (u8 *)b->data,
		       .avail_in = b->len,
		       .next_out = message,
		       .avail_out = sizeof(message) };

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	return z.total_out;
}

static u64 varint(const u8 **at)
{
	u64 v = 0;

	for (int shift = 0;; shift += 7) {
		u8 byte = *(*at)++;

		v |= (u64)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
}

/* The i-th field of this number: its integer, or in *data its bytes and their number. */
static u64 field(const u8 *at, size_t n, u32 number, u32 i, const u8 **data)
{
	const u8 *end = at + n;

	while (at < end) {
		u64 key = varint(&at), v = varint(&at);
		const u8 *bytes = at;

		if ((key & 7) == 2)
			at += v;
		else
			assert_int_equal(key & 7, 0);
		if (key >> 3 == number && !i--) {
			if (data)
				*data = bytes;
			return v;
		}
	}
	assert_true(at == end);
	return ~0ull;
}

static void string_is(size_t n, u64 i, const char *text)
{
	const u8 *data;
	u64 len = field(message, n, 6, i, &data);

	assert_int_equal(len, strlen(text));
	assert_memory_equal(data, text, len);
}

static void test_fields(void **state)
{
	static const char leaf[] = "leaf", root[] = "root", file[] = "/bin/x", id[] = "abcd",
			  comm[] = "task";
	const struct pprof_frame frames[] = { { leaf, file, id, 0x1234 }, { root, NULL, NULL, 0 } };
	struct buf b = {};
	struct pprof p;
	const u8 *sample, *part, *inner;
	size_t n, len;
	u64 v;

	(void)state;
	pprof_begin(&p);
	pprof_sample(&p, frames, 2, 300, comm, 77);
	pprof_sample(&p, frames + 1, 1, 1ull << 40, NULL, 0);
	assert_int_equal(pprof_end(&p, &b, "off", "microseconds", 5), 0);
	n = inflated(&b);
	string_is(n, 0, "");

	/* The first sample: the innermost frame first. */
	len = field(message, n, 2, 0, &sample);
	v = field(sample, len, 1, 0, &part);
	assert_int_equal(v, 2);
	assert_int_equal(part[0], 1);
	assert_int_equal(part[1], 2);
	v = field(sample, len, 2, 0, &part);
	assert_int_equal(varint(&part), 300);
	v = field(sample, len, 3, 0, &part);
	string_is(n, field(part, v, 1, 0, NULL), "comm");
	string_is(n, field(part, v, 2, 0, NULL), "task");
	v = field(sample, len, 3, 1, &part);
	string_is(n, field(part, v, 1, 0, NULL), "pid");
	assert_int_equal(field(part, v, 3, 0, NULL), 77);

	/* The second has the same root, and no labels. */
	len = field(message, n, 2, 1, &sample);
	v = field(sample, len, 1, 0, &part);
	assert_int_equal(v, 1);
	assert_int_equal(part[0], 2);
	v = field(sample, len, 2, 0, &part);
	assert_true(varint(&part) == 1ull << 40);
	assert_true(field(sample, len, 3, 0, NULL) == ~0ull);
	assert_true(field(message, n, 2, 2, NULL) == ~0ull);

	/* Location 1: its address, mapping and function. */
	len = field(message, n, 4, 0, &sample);
	assert_int_equal(field(sample, len, 1, 0, NULL), 1);
	assert_int_equal(field(sample, len, 2, 0, NULL), 1);
	assert_int_equal(field(sample, len, 3, 0, NULL), 0x1234);
	v = field(sample, len, 4, 0, &part);
	assert_int_equal(field(part, v, 1, 0, NULL), 1);
	len = field(message, n, 5, 0, &inner);
	string_is(n, field(inner, len, 2, 0, NULL), "leaf");
	string_is(n, field(inner, len, 4, 0, NULL), "/bin/x");
	len = field(message, n, 3, 0, &inner);
	string_is(n, field(inner, len, 5, 0, NULL), "/bin/x");
	string_is(n, field(inner, len, 6, 0, NULL), "abcd");

	len = field(message, n, 1, 0, &inner);
	string_is(n, field(inner, len, 1, 0, NULL), "off");
	string_is(n, field(inner, len, 2, 0, NULL), "microseconds");
	assert_int_equal(field(message, n, 10, 0, NULL), 5);
	buf_free(&b);
}

static void test_empty(void **state)
{
	struct buf b = {};
	struct pprof p;

	(void)state;
	pprof_begin(&p);
	assert_int_equal(pprof_end(&p, &b, "a", "b", 0), 0);
	assert_true(inflated(&b) > 0);
	buf_free(&b);
}

static void test_stackset(void **state)
{
	struct stackset set = {};
	struct bcc_stack s = {}, got;

	(void)state;
	for (u64 id = 1; id <= 100000; id++) {
		s.n = id % 7;
		for (u64 i = 0; i < s.n; i++)
			s.ip[i] = id + i;
		stackset_add(&set, id * 0x9e3779b97f4a7c15ull, &s);
	}
	s.n = 1;
	stackset_add(&set, 3 * 0x9e3779b97f4a7c15ull, &s); /* the first stays */
	assert_int_equal(set.n, 100000);
	for (u64 id = 1; id <= 100000; id++) {
		assert_true(stackset_get(&set, id * 0x9e3779b97f4a7c15ull, &got));
		assert_int_equal(got.n, id % 7);
		assert_true(!got.n || got.ip[got.n - 1] == id + got.n - 1);
	}
	assert_false(stackset_get(&set, STACK_NONE, &got));
	assert_false(stackset_get(&set, 12345, &got));
	stackset_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_stackset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
