#include <string.h>

#include "recorded.h"

u64 recorded_faults(const char *record)
{
	u64 faults;

	memcpy(&faults, record, sizeof(faults));
	return faults;
}

bool recorded_is_fault(const char *record, const struct expr_value *v)
{
	return recorded_faults(record) >> v->fault & 1;
}

u64 recorded_number(const char *record, const struct expr_value *v)
{
	int unused = 64 - 8 * v->size;
	u64 n = 0;

	memcpy(&n, record + v->offset, v->size);
	return v->is_signed ? (u64)((s64)(n << unused) >> unused) : n;
}

int recorded_compare(const char *a, const char *b, const struct expr_value *v)
{
	u64 x, y;

	if (v->kind == EXPR_STRING)
		return strncmp(a + v->offset, b + v->offset, v->size);
	x = recorded_number(a, v);
	y = recorded_number(b, v);
	if (v->is_signed)
		return (s64)x < (s64)y ? -1 : (s64)x > (s64)y;
	return x < y ? -1 : x > y;
}

static void number_text(struct buf *b, u64 n, const struct expr_value *v)
{
	if (v->is_signed)
		buf_s64(b, n);
	else
		buf_u64(b, n);
}

void recorded_text(struct buf *b, const char *record, const struct expr_value *v)
{
	const char *at = record + v->offset;

	if (recorded_is_fault(record, v))
		buf_str(b, "(fault)");
	else if (v->kind == EXPR_STRING)
		buf_safe(b, at, strnlen(at, v->size));
	else if (v->kind == EXPR_POINTER)
		buf_hex(b, recorded_number(record, v));
	else
		number_text(b, recorded_number(record, v), v);
}

void recorded_json(struct buf *b, const char *record, const struct expr_value *v)
{
	const char *at = record + v->offset;

	if (recorded_is_fault(record, v))
		buf_str(b, "null");
	else if (v->kind == EXPR_STRING)
		buf_json(b, at, strnlen(at, v->size));
	else
		number_text(b, recorded_number(record, v), v);
}
