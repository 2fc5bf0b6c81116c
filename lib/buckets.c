#include <stdlib.h>

#include "buckets.h"
#include "hist.h"
#include "util.h"

/* 1, 2, 5, 10, 20, ...: the least with which there are not too many. */
static u64 width_for(u64 span)
{
	u64 width = 1;

	for (int i = 0; span / width >= BUCKETS_LINEAR - 1; i++)
		width = i % 3 == 1 ? width / 2 * 5 : width * 2;
	return width;
}

/* The largest multiple of the width that is not above the value; itself, if that is no s64. */
static u64 floor_to(u64 v, u64 width, bool is_signed)
{
	s64 rest, low;

	if (!is_signed)
		return v - v % width;
	rest = (s64)v % (s64)width;
	if (rest < 0)
		rest += width;
	return __builtin_sub_overflow((s64)v, rest, &low) ? v : (u64)low;
}

void buckets_linear(struct buckets *b, const struct counted *values, size_t n, bool is_signed)
{
	u64 width, low;

	*b = (struct buckets){ 0 };
	if (!n)
		return;
	width = width_for(values[n - 1].value - values[0].value);
	low = floor_to(values[0].value, width, is_signed);
	b->n = (values[n - 1].value - low) / width + 1;
	b->at = xcalloc(b->n, sizeof(*b->at));
	for (size_t i = 0; i < b->n; i++)
		b->at[i] = (struct bucket){ .low = low + i * width,
					    .high = low + i * width + width - 1,
					    .is_signed = is_signed };
	for (size_t i = 0; i < n; i++)
		b->at[(values[i].value - low) / width].count += values[i].count;
}

/* The first is of what is negative, until it is known that nothing is. */
void buckets_log2(struct buckets *b, const struct counted *powers, size_t n)
{
	*b = (struct buckets){ .n = 1 + HIST_SLOTS, .log2 = true };
	b->at = xcalloc(b->n, sizeof(*b->at));
	b->at[0] = (struct bucket){ .low = 1ull << 63, .high = -1, .is_signed = true };
	for (int i = 0; i < HIST_SLOTS; i++)
		b->at[1 + i] = (struct bucket){ .low = i ? 1ull << i : 0,
						.high = i == 63 ? ~0ull : (2ull << i) - 1 };
	for (size_t i = 0; i < n; i++) {
		s64 power = powers[i].value;

		if (power <= HIST_SLOTS)
			b->at[power < 0 ? 0 : power < 2 ? 1 : power].count += powers[i].count;
	}
	while (b->n && !b->at[b->n - 1].count)
		b->n--;
	if (!b->n || b->at[0].count)
		return;
	b->n--;
	for (size_t i = 0; i < b->n; i++)
		b->at[i] = b->at[i + 1];
}

void buckets_free(struct buckets *b)
{
	free(b->at);
	*b = (struct buckets){ 0 };
}

u64 buckets_sum(const struct buckets *b)
{
	u64 sum = 0;

	for (size_t i = 0; i < b->n; i++)
		sum += b->at[i].count;
	return sum;
}

void bucket_bound(struct buf *b, const struct bucket *bucket, u64 bound)
{
	if (bucket->is_signed)
		buf_s64(b, bound);
	else
		buf_u64(b, bound);
}

static void log2_text(struct buf *out, const struct buckets *b, const char *head)
{
	bool negative = b->n && b->at[0].is_signed;
	u64 slots[HIST_SLOTS] = {};

	for (size_t i = negative; i < b->n; i++)
		slots[i - negative] = b->at[i].count;
	hist_log2_text(out, head, negative ? b->at[0].count : 0, slots);
}

static void linear_text(struct buf *out, const struct bucket *bucket, u64 max)
{
	size_t start = out->len;

	bucket_bound(out, bucket, bucket->low);
	buf_align(out, start, 10);
	start = out->len;
	if (bucket->low != bucket->high) {
		buf_str(out, " -> ");
		bucket_bound(out, bucket, bucket->high);
	}
	buf_align(out, start, -14);
	buf_fmt(out, " : %-8llu ", bucket->count);
	hist_stars(out, bucket->count, max, 40);
}

void buckets_text(struct buf *out, const struct buckets *b, const char *head)
{
	u64 max = 0;

	if (b->log2) {
		log2_text(out, b, head);
		return;
	}
	for (size_t i = 0; i < b->n; i++)
		max = b->at[i].count > max ? b->at[i].count : max;
	if (b->n)
		buf_fmt(out, "     %-19s : count     distribution\n", head);
	for (size_t i = 0; i < b->n; i++)
		linear_text(out, &b->at[i], max);
}

void buckets_json(struct buf *out, const struct buckets *b)
{
	buf_chr(out, '[');
	for (size_t i = 0; i < b->n; i++) {
		buf_str(out, i ? ",{\"low\":" : "{\"low\":");
		bucket_bound(out, &b->at[i], b->at[i].low);
		buf_str(out, ",\"high\":");
		bucket_bound(out, &b->at[i], b->at[i].high);
		buf_fmt(out, ",\"count\":%llu}", b->at[i].count);
	}
	buf_chr(out, ']');
}
