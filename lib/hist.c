/* run_hist(): the table `hists`, a histogram for each key, in BCC's layout. */
#include <stdlib.h>
#include <string.h>

#include "applet.h"
#include "clock.h"
#include "hist.h"
#include "out.h"
#include "report.h"
#include "rows.h"
#include "stacks.h"

static const char *unit_of(const struct applet *a)
{
	if (a->unit.named)
		return *a->unit.named;
	return a->unit.use_other && *a->unit.use_other ? a->unit.other : a->unit.name;
}

static u64 log2_low(int slot)
{
	return slot ? 1ull << slot : 0;
}

static u64 log2_high(int slot)
{
	return slot == 63 ? ~0ull : (2ull << slot) - 1;
}

static u64 step_of(const struct applet *a)
{
	return a->step ?: 1;
}

static u64 low_of(const struct applet *a, int slot)
{
	return a->linear ? slot * step_of(a) : log2_low(slot);
}

static u64 high_of(const struct applet *a, int slot)
{
	return a->linear ? (slot + 1) * step_of(a) - 1 : log2_high(slot);
}

u64 hist_count(const struct bcc_hist *h)
{
	u64 n = 0;

	for (int i = 0; i < HIST_SLOTS; i++)
		n += h->slots[i];
	return n;
}

static int last_slot(const u64 slots[HIST_SLOTS])
{
	int i = HIST_SLOTS - 1;

	while (i >= 0 && !slots[i])
		i--;
	return i;
}

static u64 most(const u64 slots[HIST_SLOTS], u64 max)
{
	for (int i = 0; i < HIST_SLOTS; i++)
		max = slots[i] > max ? slots[i] : max;
	return max;
}

void hist_stars(struct buf *b, u64 count, u64 max, int width)
{
	int stars = (unsigned __int128)count * width / (max ?: 1);

	buf_chr(b, '|');
	buf_fill(b, '*', stars);
	buf_fill(b, ' ', width - stars);
	buf_str(b, "|\n");
}

/* BCC's layout: wide where a bucket is past 2^32, and then with half the stars. */
void hist_log2_text(struct buf *b, const char *head, u64 negative, const u64 slots[HIST_SLOTS])
{
	int last = last_slot(slots), wide = last >= 32, width = wide ? 20 : 40;
	u64 max = most(slots, negative);

	if (last < 0 && !negative)
		return;
	buf_fmt(b, "%s%-*s : count     distribution\n", wide ? "               " : "     ",
		wide ? 29 : 19, head);
	if (negative) {
		buf_fmt(b, "%*s : %-8llu ", wide ? -44 : -24,
			wide ? "                 < 0" : "       < 0", negative);
		hist_stars(b, negative, max, width);
	}
	for (int i = 0; i <= last; i++) {
		buf_fmt(b, wide ? "%20llu -> %-20llu : %-8llu " : "%10llu -> %-10llu : %-8llu ",
			log2_low(i), log2_high(i), slots[i]);
		hist_stars(b, slots[i], max, width);
	}
}

void hist_linear_text(struct buf *b, const char *head, u64 step, const u64 slots[HIST_SLOTS])
{
	int last = last_slot(slots);
	u64 max = most(slots, 0);

	if (last < 0)
		return;
	buf_fmt(b, "     %-13s : count     distribution\n", head);
	for (int i = 0; i <= last; i++) {
		buf_fmt(b, "        %-10llu : %-8llu ", i * step, slots[i]);
		hist_stars(b, slots[i], max, 40);
	}
}

static void hist_text(struct buf *b, const struct applet *a, const struct bcc_hist *h)
{
	if (a->linear)
		hist_linear_text(b, unit_of(a), step_of(a), h->slots);
	else
		hist_log2_text(b, unit_of(a), 0, h->slots);
}

static void hist_json(struct buf *b, struct run *run, const void *row, size_t size,
		      const struct bcc_hist *h, u64 now)
{
	const struct applet *a = run->applet;
	int last = last_slot(h->slots);

	buf_str(b, "{\"time\":\"");
	clock_iso(b, now);
	buf_str(b, "\",");
	stacks_json(b, run, row, size);
	cols_json(b, a->columns, row, size);
	buf_fmt(b, "%s\"unit\":\"%s\",\"count\":%llu,\"sum\":%llu,\"buckets\":[",
		a->columns && a->columns->key ? "," : "", unit_of(a), hist_count(h), h->sum);
	for (int i = 0; i <= last; i++)
		buf_fmt(b, "%s{\"low\":%llu,\"high\":%llu,\"count\":%llu}", i ? "," : "",
			low_of(a, i), high_of(a, i), h->slots[i]);
	buf_str(b, "]}\n");
}

static void hist_csv(struct buf *b, struct run *run, const void *row, size_t size,
		     const struct bcc_hist *h, u64 now)
{
	const struct applet *a = run->applet;

	for (int i = 0, last = last_slot(h->slots); i <= last; i++) {
		clock_iso(b, now);
		buf_chr(b, ',');
		stacks_csv(b, run, row, size);
		cols_csv(b, a->columns, row, size);
		buf_fmt(b, "%s%llu,%llu,%llu\n", a->columns && a->columns->key ? "," : "",
			low_of(a, i), high_of(a, i), h->slots[i]);
	}
}

static void csv_header(const struct applet *a)
{
	buf_str(&out, "time,");
	stacks_csv_header(&out, a);
	for (const struct column *c = a->columns; c && c->key; c++)
		if (!c->no_data && c->as != AS_KSTACK && c->as != AS_USTACK)
			buf_fmt(&out, "%s,", col_key(c));
	buf_str(&out, "low,high,count\n");
}

static const struct column *order;

static int by_key(const void *a, const void *b)
{
	for (const struct column *c = order; c && c->key; c++) {
		int cmp = col_compare(c, a, b);

		if (cmp)
			return cmp;
	}
	return 0;
}

/* What the histogram is of: its stacks below a row, or "key = value"; nothing of a single one. */
static void heading(struct buf *b, struct run *run, const void *row, size_t size)
{
	const struct applet *a = run->applet;
	size_t start = b->len;

	buf_chr(b, '\n');
	if (stack_events(a)) {
		cols_row(b, a->columns, row, size, 0);
		stacks_text(b, run, row, size);
	} else if (cols_label(b, a->columns, row, size)) {
		buf_chr(b, '\n');
	} else {
		b->len = start;
	}
}

static void print_row(struct run *run, const void *row, size_t size, u64 now)
{
	const struct applet *a = run->applet;
	struct bcc_hist h;

	memcpy(&h, (const char *)row + a->value, sizeof(h));
	if (stack_events(a))
		stacks_row(run, row, size, h.sum);
	if (out_mode == OUT_JSON) {
		hist_json(&out, run, row, size, &h, now);
		return;
	}
	if (out_mode == OUT_CSV) {
		hist_csv(&out, run, row, size, &h, now);
		return;
	}

	if (a->line && a->line(&out, row))
		return;
	heading(&out, run, row, size);
	hist_text(&out, a, &h);
	if (a->footer)
		a->footer(&out, a->columns, row);
}

/* Of stacks, those that took most come last. */
static size_t value_at;

static int by_sum(const void *a, const void *b)
{
	struct bcc_hist x, y;

	memcpy(&x, (const char *)a + value_at, sizeof(x));
	memcpy(&y, (const char *)b + value_at, sizeof(y));
	return x.sum < y.sum ? -1 : x.sum > y.sum ? 1 : memcmp(a, b, value_at);
}

static void print_all(struct run *run, struct rows *rows, u64 now)
{
	const struct applet *a = run->applet;

	order = a->columns;
	value_at = a->value;
	qsort(rows->data, rows->n, rows->size, stack_events(a) ? by_sum : by_key);
	report_begin(run);
	for (size_t i = 0; i < rows->n; i++)
		print_row(run, rows_at(rows, i), rows->size, now);
	if (a->total && out_mode == OUT_TEXT)
		a->total(&out, rows);
	out_flush();
}

/* How many keys there can be: one where no column tells histograms apart. */
void hist_prepare(struct run *run)
{
	for (const struct column *c = run->applet->columns; c && c->key; c++)
		if (col_shown(c))
			return;
	rows_limit(run, "hists", 1);
}

void run_hist(struct run *run)
{
	struct rows rows = {};
	bool more, stacked = stack_events(run->applet);

	if (out_mode == OUT_CSV)
		csv_header(run->applet);
	do {
		more = run_wait(run);
		if (!more)
			run_detach(run);
		rows_take(run, "hists", &rows);
		print_all(run, stacks_merged(run, &rows), clock_mono());
	} while (more);
	if (stacked)
		stacks_nameless(run);
	free(rows.data);
}
