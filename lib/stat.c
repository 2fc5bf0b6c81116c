/* run_stat(): the counters `stats`, a line an interval. They only grow: no reset loses a count. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>

#include "applet.h"
#include "clock.h"
#include "out.h"
#include "stat.h"

static void read_counters(int fd, u32 n, u64 *sum)
{
	int cpus = libbpf_num_possible_cpus();
	u64 *each = xcalloc(cpus, sizeof(*each));

	for (u32 i = 0; i < n; i++) {
		if (bpf_map_lookup_elem(fd, &i, each))
			die_err(errno, "cannot read the counters");
		sum[i] = 0;
		for (int cpu = 0; cpu < cpus; cpu++)
			sum[i] += each[cpu];
	}
	free(each);
}

void stat_rate(struct buf *b, const void *field, const void *row)
{
	struct bcc_interval i;
	u64 count;

	memcpy(&i, row, sizeof(i));
	memcpy(&count, field, sizeof(count));
	if (i.interval_ns)
		count = ((unsigned __int128)count * NSEC_PER_SEC + i.interval_ns / 2) /
			i.interval_ns;
	buf_u64(b, count);
}

static void print_row(struct run *run, const struct bcc_stat *row)
{
	const struct applet *a = run->applet;
	size_t size = sizeof(*row);

	if (a->event && !a->event(run, row, &size))
		return;
	if (out_mode != OUT_TEXT || !a->line || !a->line(&out, row))
		cols_row(&out, a->columns, row, sizeof(*row), 0);
	out_flush();
}

void run_stat(struct run *run)
{
	struct bpf_map *map = bpf_object__find_map_by_name(run->obj, "stats");
	u64 sum[STAT_MAX], before[STAT_MAX] = {}, last = clock_start;
	u32 n = map ? bpf_map__max_entries(map) : 0;
	struct bcc_stat row = {};
	bool more;

	if (!n || n > STAT_MAX)
		die("no BPF map 'stats', or too large");
	common.interval = common.interval ?: 1;
	if (out_mode != OUT_TEXT || !run->applet->line)
		cols_header(&out, run->applet->columns, false);
	out_flush();
	do {
		more = run_wait(run);
		if (!more)
			run_detach(run);
		row.interval.time = clock_mono();
		row.interval.interval_ns = row.interval.time - last;
		last = row.interval.time;
		read_counters(bpf_map__fd(map), n, sum);
		for (u32 i = 0; i < n; i++) {
			row.count[i] = sum[i] - before[i];
			before[i] = sum[i];
		}
		print_row(run, &row);
	} while (more);
}
