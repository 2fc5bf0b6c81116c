#include <time.h>

#include "clock.h"
#include "util.h"

u64 clock_start;

static u64 now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

u64 clock_mono(void)
{
	return now(CLOCK_MONOTONIC);
}

/* The offset is measured anew once a second, as wall time may be stepped. */
u64 clock_wall(u64 mono)
{
	static u64 offset, measured;
	u64 t = clock_mono();

	if (!offset || t - measured > NSEC_PER_SEC) {
		u64 wall = now(CLOCK_REALTIME);

		/* Read between two readings of the other clock: half their distance is the error. */
		measured = clock_mono();
		offset = wall - (t + (measured - t) / 2);
	}
	return mono + offset;
}

static void broken_down(struct buf *b, u64 mono, const char *fmt, struct tm *(*split)(const time_t *, struct tm *))
{
	static time_t last;
	static struct tm tm;
	static struct tm *(*last_split)(const time_t *, struct tm *);
	time_t t = clock_wall(mono) / NSEC_PER_SEC;
	char text[32];

	if (t != last || split != last_split) { /* a storm asks for the same second many times */
		split(&t, &tm);
		last = t;
		last_split = split;
	}
	buf_mem(b, text, strftime(text, sizeof(text), fmt, &tm));
}

void clock_hms(struct buf *b, u64 mono)
{
	broken_down(b, mono, "%H:%M:%S", localtime_r);
}

void clock_hms_utc(struct buf *b, u64 mono)
{
	broken_down(b, mono, "%H:%M:%S", gmtime_r);
}

void clock_iso(struct buf *b, u64 mono)
{
	u64 ns = clock_wall(mono) % NSEC_PER_SEC;

	broken_down(b, mono, "%Y-%m-%dT%H:%M:%S", gmtime_r);
	buf_fmt(b, ".%09lluZ", ns);
}
