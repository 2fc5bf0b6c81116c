/*
 * Kernel functions where there is no kprobe.multi: one kprobe event of tracefs that carries a probe
 * for each, since perf events of their own take 20 ms each to make and to undo. The event is gone
 * when this process is, even if it is killed: a child waits for that.
 */
#ifndef PROBE_EVENT_H
#define PROBE_EVENT_H

#include "attach.h"

/*
 * Makes the events of the sites that are ATTACH_EVENT, and says in a->site_of what is where. Adds
 * the perf event numbers to `ids`: of entries and of returns, 0 if there are none. 0 or -errno,
 * `why`.
 */
int event_create(struct attach *a, int ids[2], struct buf *why);

/* To be called when they are not in use any more. */
void event_remove(struct attach *a);

/* Hits missed, by tracefs. */
u64 event_missed(const struct attach *a);

#endif
