/*
 * Attaches one program to many sites. There is a program for each way that is needed, all of one
 * story; each is told the number of the site that fired (bpf/lib/site.bpf.h):
 *
 *	ATTACH_MULTI       kernel functions, all at once (kprobe.multi, 5.18+ with FPROBE)
 *	ATTACH_EVENT       the same without it: one kprobe event of tracefs that has many probes;
 *	                   and single returns: perf events follow only some ten calls at a time
 *	ATTACH_PERF        a perf event each: single kernel functions, and user sites
 *	ATTACH_TRACEPOINT  a perf event each
 *	ATTACH_RAW         raw tracepoints, with a copy of the program for each
 *	ATTACH_UMULTI      user sites of a file, all at once (uprobe.multi, 6.6+)
 *
 * Source: bpf(2), perf_event_open(2), Documentation/trace/kprobetrace.rst.
 */
#ifndef PROBE_ATTACH_H
#define PROBE_ATTACH_H

#include <bpf/libbpf.h>

#include "resolve.h"

enum attach_way {
	ATTACH_MULTI,
	ATTACH_EVENT,
	ATTACH_PERF,
	ATTACH_TRACEPOINT,
	ATTACH_RAW,
	ATTACH_UMULTI,
	ATTACH_WAYS
};

struct attach {
	const struct sites *sites;
	u32 pid;                 /* user sites: in this process only; 0 is everywhere */
	u8 *way;                 /* of each site */
	u32 wanted;              /* bit w: a program for way w is needed */
	bool spare;              /* what is ATTACH_EVENT can be ATTACH_PERF if that is refused */
	bool stacks;             /* the program takes stacks: entries are probed where that works */
	int prog[ATTACH_WAYS];   /* their descriptors: the caller's, as is the next */
	int site_of;             /* for ATTACH_EVENT: a hash of u64 addresses to u32 numbers */
	struct bpf_program *raw; /* for ATTACH_RAW, what is copied */
	bool (*over)(void *);    /* optional: true ends attach_start() with -EINTR */
	void *over_arg;

	u32 attached; /* sites */
	u32 nrefused; /* of those in links of many */
	int refused;  /* why the kernel did not take one of the others, -errno */
	int *links;
	u32 nlinks;
	u32 set;  /* number of the tracefs events in this process */
	int hold; /* while it is open, the watcher keeps the tracefs events */
	int watcher;
};

/* Which ways the sites need on this kernel. 0 or -ENOMEM. */
int attach_plan(struct attach *a, const struct sites *sites, u32 pid);

/*
 * After attach_plan(), where the program does not look at the fields of tracepoints: if they are
 * many they become raw ones, which need not wait for RCU, some 20 ms each, when they are detached.
 */
void attach_plan_raw(struct attach *a);

/* How many sites take some 10 ms each to attach, one after the other. */
u32 attach_slow(const struct attach *a);
bool attach_is_over(const struct attach *a);

/* What a program for a way is loaded as. */
void attach_type(enum attach_way way, enum bpf_prog_type *type, enum bpf_attach_type *attach);

/* From the object that has the programs of site.bpf.h: before and after it is loaded. */
void attach_choose(const struct attach *a, struct bpf_object *obj);
void attach_take(struct attach *a, struct bpf_object *obj);

/*
 * 0 if one site at least is attached; those that the kernel refuses are left out (`attached` says
 * how many are not). Else -errno and `why`, one line.
 */
int attach_start(struct attach *a, struct buf *why);

/* Such an error in words. */
const char *attach_error(int err);

/* Hits that the kernel did not pass on, so far; the programs' own recursion is not in it. */
u64 attach_missed(const struct attach *a);

/* Detaches everything and waits until it is gone. Does so itself if this process is killed. */
void attach_stop(struct attach *a);

#endif
