/* The clocks: BPF stamps events with CLOCK_MONOTONIC, people read wall time. */
#ifndef CLOCK_H
#define CLOCK_H

#include "buf.h"

u64 clock_mono(void); /* CLOCK_MONOTONIC now, in ns: what bpf_ktime_get_ns() returns */

/* Nanoseconds since the epoch at which CLOCK_MONOTONIC read `mono`. */
u64 clock_wall(u64 mono);

void clock_hms(struct buf *b, u64 mono); /* 20:31:40, local time */
void clock_hms_utc(struct buf *b, u64 mono);
void clock_iso(struct buf *b, u64 mono); /* 2026-11-22T20:31:40.123456789Z, RFC 3339 */

/* Monotonic time from which elapsed times count: the moment the probes went live. */
extern u64 clock_start;

#endif
