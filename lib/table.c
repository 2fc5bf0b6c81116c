/* run_table() and run_top(): the table `rows` or the counters `counters`, sorted. */
#include <stdlib.h>
#include <string.h>

#include "applet.h"
#include "clock.h"
#include "out.h"
#include "report.h"
#include "rows.h"

static void print_rows(struct run *run, const struct rows *rows, u64 now)
{
	const struct applet *a = run->applet;
	size_t n = common.rows && rows->n > (size_t)common.rows ? (size_t)common.rows : rows->n;

	if (out_mode == OUT_TEXT)
		cols_header(&out, a->columns, false);
	for (size_t i = 0; i < n; i++) {
		cols_row(&out, a->columns, rows_at(rows, i), rows->size, now);
		out_row();
	}
	if (a->total && out_mode == OUT_TEXT)
		a->total(&out, rows);
}

static void run_reports(struct run *run, bool clear)
{
	const struct applet *a = run->applet;
	bool counted = a->counted && *a->counted, more;
	struct rows rows = {};

	if (out_mode == OUT_CSV)
		cols_header(&out, a->columns, true);
	do {
		u64 now;

		more = run_wait(run);
		if (!more)
			run_detach(run);
		if (counted)
			rows_count(run, "counters", &rows);
		else
			rows_take(run, "rows", &rows);
		now = clock_mono();
		rows_sort(run, &rows);
		if (clear && out_mode == OUT_TEXT && out_is_terminal() && !common.noclear)
			buf_str(&out, "\033[H\033[2J");
		report_begin(run);
		if (a->print_rows)
			a->print_rows(run, &rows, now);
		else
			print_rows(run, &rows, now);
		out_flush();
	} while (more);
	free(rows.data);
	free(rows.before);
}

void run_table(struct run *run)
{
	run_reports(run, false);
}

void run_top(struct run *run)
{
	common.interval = common.interval ?: 1;
	run_reports(run, true);
}
