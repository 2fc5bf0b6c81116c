/* One run of an applet, and the engines that turn BPF maps into output. */
#ifndef RUN_H
#define RUN_H

#include <bpf/libbpf.h>

#include "candidate.h"
#include "loss.h"
#include "types.h"

struct applet;
struct ring;

#define RUN_LINKS 256

struct run {
	const struct applet *applet;
	struct bpf_object *obj;
	struct choices choices;
	struct bpf_link *links[RUN_LINKS];
	int nlinks;
	u64 deadline; /* CLOCK_MONOTONIC; 0: until interrupted */
	u64 lost[LOST_KINDS];
	int code;                        /* exit code; 1: what was looked for was found */
	struct ring *ring;               /* of the map `events` */
	int child;                       /* --exec; 0: none */
	void (*detach)(struct run *run); /* of what is not in `links` */
	void (*often)(struct run *run);  /* called 50 times a second of run_sleep(), run_wait() */
};

/* Capabilities (capabilities(7)) that are kept after attaching, where an engine needs them. */
enum keep_caps {
	KEEP_SYMBOLS = 1, /* /proc/PID/maps and mapped files of all processes, kallsyms */
};

void run_events(struct run *run); /* `events`: a line per event */
void run_hist(struct run *run);   /* table `hists`: a histogram per key */
void run_table(
	struct run *run); /* table `rows` (or `counters`), sorted, per interval or at the end */
void run_top(struct run *run);    /* the same on a screen that is cleared, every interval */
void run_stat(struct run *run);   /* counters `stats`: a line per interval */
void run_stacks(struct run *run); /* table `counts` and map `stacks`: folded or listed */

/* Before attaching: a perf buffer has no room until it is open, and that wants capabilities. */
void events_open(struct run *run);

void hist_prepare(struct run *run); /* before loading: room for as many keys as are told apart */

/* For applets with an engine of their own. */
int run_map(struct run *run, const char *name); /* fd; dies if absent */
bool run_over(const struct run *run);           /* interrupted, past the deadline, child gone */
void run_sleep(struct run *run, u64 until);     /* CLOCK_MONOTONIC; 0 is for ever; early if over */
void run_poll(const struct run *run, u64 until,
	      int fd);          /* the same, or `fd` is readable; may wake early */
bool run_wait(struct run *run); /* one interval; false when it was the last */

/*
 * Samples: attaches `prog` (SEC("perf_event")) to a timer that fires `hz` times a second on every
 * CPU. For use in attached().
 */
void run_sample(struct run *run, const char *prog, u64 hz);

/*
 * The same with a counter (perf_event_open(2): `type`, `config`), each time it has counted `period`
 * more on a CPU. 0 or -errno.
 */
int run_counter(struct run *run, const char *prog, u32 type, u64 config, u64 period);

/* The same as run_counter() with any event of perf_event_open(2), on every CPU (-1) or one.
 * -ENODEV: it is off. */
struct perf_event_attr;
int run_perf(struct run *run, const char *prog, struct perf_event_attr *attr, int cpu);

/* Whether the machine has it, as far as can be told without privileges. */
bool run_has_counter(u32 type, u64 config);

/* Detaches every probe, so that nothing is added to the maps any more. */
void run_detach(struct run *run);

int applet_run(const struct applet *a); /* the exit code */

/* Everything up to loading, and what was found; for `bcctool check`. The reason is one line. */
enum verdict applet_probe(const struct applet *a, struct run *run, struct buf *reason);

#endif
