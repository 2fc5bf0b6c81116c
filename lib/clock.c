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

/*
 * The offset is measured anew once a second, as wall time may be stepped. Events come in the order
 * of time or nearly, so their own times tell when a second is over: no system call for each.
 */
u64 clock_wall(u64 mono)
{
	static u64 offset, measured;

	if (!offset || (mono > measured && mono - measured > NSEC_PER_SEC)) {
		u64 before = clock_mono(), wall = now(CLOCK_REALTIME);

		/* Read between two readings of the other clock: half their distance is the error.
		 */
		measured = clock_mono();
		offset = wall - (before + (measured - before) / 2);
	}
	return mono + offset;
}

/* A storm asks for the same second many times: its text is kept. */
struct second {
	struct tm *(*split)(const time_t *, struct tm *);
	const char *format;
	time_t time;
	size_t len;
	char text[32];
};

static void put_second(struct buf *b, struct second *s, u64 wall)
{
	time_t t = wall / NSEC_PER_SEC;
	struct tm tm;

	if (t != s->time || !s->len) {
		s->time = t;
		s->len = strftime(s->text, sizeof(s->text), s->format, s->split(&t, &tm));
	}
	buf_mem(b, s->text, s->len);
}

void clock_hms(struct buf *b, u64 mono)
{
	static struct second local = { localtime_r, "%H:%M:%S" };

	put_second(b, &local, clock_wall(mono));
}

void clock_hms_utc(struct buf *b, u64 mono)
{
	static struct second utc = { gmtime_r, "%H:%M:%S" };

	put_second(b, &utc, clock_wall(mono));
}

void clock_iso(struct buf *b, u64 mono)
{
	static struct second utc = { gmtime_r, "%Y-%m-%dT%H:%M:%S." };
	u64 wall = clock_wall(mono);

	put_second(b, &utc, wall);
	buf_digits(b, wall % NSEC_PER_SEC, 9);
	buf_chr(b, 'Z');
}
