/* run_events(): the buffer `events`, a line for each. */
#include <errno.h>

#include "applet.h"
#include "clock.h"
#include "object.h"
#include "out.h"
#include "ring.h"
#include "stacks.h"

/* While events come, they are gathered this long rather than one by one. */
#define GATHER (5 * 1000000ull)

static bool stacked; /* the events have stacks */

static bool print_event(void *ctx, const void *event, size_t size)
{
	struct run *run = ctx;
	const struct applet *a = run->applet;

	if (a->event)
		event = a->event(run, event, &size);
	if (event) {
		if (stacked)
			stack_event(&out, run, event, size);
		else if (out_mode != OUT_TEXT || !a->line || !a->line(&out, event))
			cols_row(&out, a->columns, event, size, 0);
		if (a->footer && out_mode == OUT_TEXT)
			a->footer(&out, a->columns, event);
		out_row();
	}
	return true;
}

static long read_events(struct ring *ring)
{
	long n = ring_read(ring);

	if (n < 0)
		die_err(n, "cannot read the events");
	out_flush();
	return n;
}

void events_open(struct run *run)
{
	struct bpf_map *map = bpf_object__find_map_by_name(run->obj, "events");

	if (!map)
		return;
	run->ring = ring_open(map, common.filter.perf_buffer, print_event, run);
	if (!run->ring)
		die_err(errno, "cannot open the event buffer");
}

/*
 * The programs wake us only while we sleep: `reader_idle` says so. When we are awake we look again
 * after a short while, until nothing came; then there is one last look, for what came meanwhile.
 */
void run_events(struct run *run)
{
	volatile u32 *idle = object_var(run->obj, "reader_idle");
	struct ring *ring = run->ring;

	stacked = stack_events(run->applet);
	if (stacked) {
		stack_event_header(&out, run->applet);
	} else if (out_mode != OUT_TEXT || !run->applet->line) {
		cols_header(&out, run->applet->columns, false);
	}
	out_flush();
	while (!run_over(run)) {
		if (read_events(ring)) {
			run_poll(run, clock_mono() + GATHER, -1);
			continue;
		}
		if (idle)
			*idle = 1;
		__sync_synchronize();
		if (!read_events(ring))
			run_poll(run, 0, ring_fd(ring));
	}
	run_detach(run); /* so that what is read now is all there was */
	read_events(ring);
	run->lost[LOST_EVENT] += ring_lost(ring);
	if (stacked)
		stacks_nameless(run);
}
