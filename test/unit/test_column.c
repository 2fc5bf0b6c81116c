/* column: text, JSON and CSV of made-up rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "clock.h"
#include "column.h"
#include "out.h"
#include "util.h"

struct row {
	struct {
		u32 pid;
		char comm[COMM_LEN];
	} task;
	u64 ns, bytes;
	s32 ret;
	u16 mode;
	u8 state;
	bool big;
	u8 addr[16];
	u64 cookie;
	char path[32]; /* the last: rows end where it does */
};

#define ROW struct row

static bool wide;
static const char *const states[] = { "idle", "busy" };

static void as_dollars(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_fmt(b, "$%llu", *(const u64 *)field);
}

static void as_sign(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_str(b, *(const s32 *)field < 0 ? "minus" : "plus");
}

static const struct column columns[] = {
	COL(task.pid, "PID", -6, ""),
	COL(task.comm, "COMM", -8, ""),
	COL(ns, "LAT(ms)", 8, "", .as = AS_MS, .digits = 2),
	COL(bytes, "KB", 5, "", .as = AS_KB),
	COL(ret, "RET", 4, ""),
	COL(mode, "MODE", -5, "", .as = AS_OCTAL, .digits = 4, .show = &wide),
	COL(state, "S", -5, "", NAMES(states)),
	COL(big, "BIG", 3, ""),
	COL(addr, "ADDR", -12, "", .as = AS_IP),
	COL(cookie, "PRICE", 6, "", .text = as_dollars),
	COL_DATA(ret, ""),
	COL(path, "PATH", 0, ""),
	{ 0 },
};

static const struct row row = {
	.task = { 181, "ba\033sh" },
	.ns = 1239999,
	.bytes = 2047,
	.ret = -2,
	.mode = 0644,
	.state = 1,
	.big = true,
	.addr = { [10] = 0xff, 0xff, 127, 0, 0, 1 },
	.cookie = 7,
	.path = "/tmp/a, \"b\"\n",
};

static struct buf b;

static void expect(const char *text)
{
	buf_chr(&b, '\0');
	assert_string_equal(b.data, text);
	b.len = 0;
}

static int reset(void **state)
{
	(void)state;
	wide = false;
	out_mode = OUT_TEXT;
	b.len = 0;
	return 0;
}

static int free_buf(void **state)
{
	(void)state;
	buf_free(&b);
	return 0;
}

static void text(void **state)
{
	(void)state;
	cols_header(&b, columns, false);
	expect("PID    COMM      LAT(ms)    KB  RET S     BIG ADDR          PRICE PATH\n");
	cols_row(&b, columns, &row, sizeof(row), 0);
	expect("181    ba\\x1bsh     1.23     1   -2 busy    1 127.0.0.1        $7 "
	       "/tmp/a, \"b\"\\x0a\n");
	wide = true;
	cols_header(&b, columns, false);
	expect("PID    COMM      LAT(ms)    KB  RET MODE  S     BIG ADDR          PRICE PATH\n");
	cols_row(&b, columns, &row, sizeof(row), 0);
	expect("181    ba\\x1bsh     1.23     1   -2 0644  busy    1 127.0.0.1        $7 "
	       "/tmp/a, \"b\"\\x0a\n");
}

static void json(void **state)
{
	(void)state;
	out_mode = OUT_JSON;
	cols_header(&b, columns, false);
	expect("");
	cols_row(&b, columns, &row, sizeof(row), 0);
	expect("{\"pid\":181,\"comm\":\"ba\\u001bsh\",\"ns\":1239999,\"bytes\":2047,\"ret\":-2,"
	       "\"mode\":420,\"state\":\"busy\",\"big\":true,\"addr\":\"127.0.0.1\",\"cookie\":7,"
	       "\"ret\":-2,\"path\":\"/tmp/a, \\\"b\\\"\\u000a\"}\n");
}

static void csv(void **state)
{
	(void)state;
	out_mode = OUT_CSV;
	cols_header(&b, columns, false);
	expect("pid,comm,ns,bytes,ret,mode,state,big,addr,cookie,ret,path\n");
	cols_header(&b, columns, true);
	expect("time,pid,comm,ns,bytes,ret,mode,state,big,addr,cookie,ret,path\n");
	cols_row(&b, columns, &row, sizeof(row), 0);
	expect("181,ba\\x1bsh,1239999,2047,-2,420,busy,true,127.0.0.1,7,-2,"
	       "\"/tmp/a, \"\"b\"\"\\x0a\"\n");
}

/* Events are as long as their last string: nothing past the end is read. */
static void short_row(void **state)
{
	size_t size = offsetof(struct row, path) + 4;
	struct row *r = malloc(size);

	(void)state;
	memcpy(r, &row, size);
	out_mode = OUT_JSON;
	cols_json(&b, columns + 11, r, size);
	expect("\"path\":\"/tmp\"");
	out_mode = OUT_CSV;
	cols_csv(&b, columns + 11, r, size - 4);
	expect("");
	free(r);
}

static const struct column sign_columns[] = {
	COL(ret, "SIGN", -6, "", .name = as_sign),
	COL(state, "S", 0, "", NAMES(states)),
	{ 0 },
};

static void names(void **state)
{
	struct row r = row;

	(void)state;
	r.state = 2; /* no name for it: the number */
	cols_row(&b, sign_columns, &r, sizeof(r), 0);
	expect("minus  2\n");
	out_mode = OUT_JSON;
	cols_row(&b, sign_columns, &r, sizeof(r), 0);
	expect("{\"ret\":\"minus\",\"state\":2}\n");
}

static const struct column units_as[] = {
	COL(ns, "A", 0, "", .as = AS_US),
	COL(ns, "B", 0, "", .as = AS_SECS, .digits = 6),
	COL(bytes, "C", 0, "", .as = AS_HEX),
	COL(mode, "D", 0, "", .as = AS_OCTAL),
	{ 0 },
};

static void units(void **state)
{
	(void)state;
	cols_row(&b, units_as, &row, sizeof(row), 0);
	expect("1239 0.001239 0x7ff 644\n");
	out_mode = OUT_JSON;
	cols_row(&b, units_as, &row, sizeof(row), 0);
	expect("{\"ns\":1239999,\"ns\":1239999,\"bytes\":2047,\"mode\":420}\n");
}

static const struct column addresses_as[] = { COL(addr, "A", 0, "", .as = AS_IP), { 0 } };

static void addresses(void **state)
{
	struct row r = { .addr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };

	(void)state;
	cols_row(&b, addresses_as, &r, sizeof(r), 0);
	expect("2001:db8::1\n");
	memset(r.addr, 0, sizeof(r.addr));
	cols_row(&b, addresses_as, &r, sizeof(r), 0);
	expect("::\n");
}

static const struct column arguments_as[] = {
	{ .key = "argv", .head = "ARGS", .type = COL_STRING, .size = 32, .as = AS_ARGV },
	{ 0 },
};

static void arguments(void **state)
{
	struct argv_row {
		char argv[32];
	} r = { "ls\0-l\0a \"b\"\0" };

	(void)state;
	cols_row(&b, arguments_as, &r, 12, 0);
	expect("ls -l a \"b\"\n");
	out_mode = OUT_JSON;
	cols_row(&b, arguments_as, &r, 12, 0);
	expect("{\"argv\":[\"ls\",\"-l\",\"a \\\"b\\\"\"]}\n");
	out_mode = OUT_CSV;
	cols_row(&b, arguments_as, &r, 12, 0);
	expect("\"ls -l a \"\"b\"\"\"\n");
}

/* 2026-11-22T20:31:40.123456789Z, and within a second of the wall clock. */
static const struct column times_as[] = { COL(ns, "T", 0, "", .as = AS_TIME), { 0 } };

static const struct column since_columns[] = {
	COL(ns, "T", 0, "", .as = AS_ELAPSED, .digits = 3),
	{ 0 },
};

static void times(void **state)
{
	struct row r = { .ns = clock_mono() };
	struct tm tm = {};
	char *end;

	(void)state;
	out_mode = OUT_JSON;
	cols_row(&b, times_as, &r, sizeof(r), 0);
	buf_chr(&b, '\0');
	assert_int_equal(strlen(b.data), strlen("{\"ns\":\"2026-11-22T20:31:40.123456789Z\"}\n"));
	end = strptime(b.data + 7, "%Y-%m-%dT%H:%M:%S", &tm);
	assert_non_null(end);
	assert_int_equal(*end, '.');
	assert_true(labs(timegm(&tm) - time(NULL)) <= 1);
	b.len = 0;

	cols_row(&b, columns, &row, sizeof(row), r.ns);
	assert_memory_equal(b.data, "{\"time\":\"2", 10);
	b.len = 0;

	out_mode = OUT_TEXT;
	setenv("TZ", "UTC-5:30", 1);
	tzset();
	cols_row(&b, times_as, &r, sizeof(r), 0);
	assert_int_equal(b.len, strlen("20:31:40\n"));
	b.len = 0;

	clock_start = r.ns - 1500000000;
	cols_row(&b, since_columns, &r, sizeof(r), 0);
	expect("1.500\n");
	r.ns = clock_start - 1; /* before the probes were live */
	cols_row(&b, since_columns, &r, sizeof(r), 0);
	expect("0.000\n");
}

static void keys(void **state)
{
	(void)state;
	assert_string_equal(col_key(&columns[0]), "pid");
	assert_ptr_equal(col_find(columns, "comm"), &columns[1]);
	assert_null(col_find(columns, "task.comm"));
	assert_null(col_find(NULL, "pid"));
}

static const struct column key_columns[] = {
	COL(task.pid, "pid", 0, ""),
	COL(task.comm, "comm", 0, ""),
	{ 0 },
};

static const struct column hidden_columns[] = { COL_DATA(task.pid, ""), { 0 } };

static void labels(void **state)
{
	(void)state;
	assert_true(cols_label(&b, key_columns, &row, sizeof(row)));
	expect("pid = 181 ba\\x1bsh");
	assert_false(cols_label(&b, hidden_columns, &row, sizeof(row)));
	assert_false(cols_label(&b, NULL, &row, sizeof(row)));
	expect("");
}

static void comparison(void **state)
{
	struct row less = row, more = row;

	(void)state;
	more.task.pid = 1u << 31;
	assert_true(col_compare(&columns[0], &less, &more) < 0);
	assert_true(col_compare(&columns[0], &more, &less) > 0);
	less.ret = -3;
	assert_true(col_compare(col_find(columns, "ret"), &less, &more) < 0);
	assert_int_equal((s64)col_u64(col_find(columns, "ret"), &less), -3);
	assert_int_equal(col_compare(col_find(columns, "path"), &less, &more), 0);
}

/* Rows of a map's key and value are packed: fields may stand at any address. */
static void unaligned(void **state)
{
	char bytes[sizeof(row) + 1];

	(void)state;
	memcpy(bytes + 1, &row, sizeof(row));
	assert_int_equal(col_u64(col_find(columns, "ns"), bytes + 1), row.ns);
	assert_int_equal(col_u64(col_find(columns, "mode"), bytes + 1), 0644);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(text, reset),      cmocka_unit_test_setup(json, reset),
		cmocka_unit_test_setup(csv, reset),       cmocka_unit_test_setup(short_row, reset),
		cmocka_unit_test_setup(names, reset),     cmocka_unit_test_setup(units, reset),
		cmocka_unit_test_setup(addresses, reset), cmocka_unit_test_setup(arguments, reset),
		cmocka_unit_test_setup(times, reset),     cmocka_unit_test_setup(keys, reset),
		cmocka_unit_test_setup(labels, reset),    cmocka_unit_test_setup(comparison, reset),
		cmocka_unit_test_setup(unaligned, reset),
	};

	return cmocka_run_group_tests(tests, NULL, free_buf);
}
