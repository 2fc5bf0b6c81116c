/*
 * Where a tool can be fed from several places, its programs are alternatives, best
 * first: a BTF tracepoint, else a kprobe; the new name of a function, else the old.
 * The first candidate that this kernel has wins; what cannot be had at all degrades
 * the applet, with words for what is lost, or makes it unavailable.
 *
 * An applet without a table takes every program of its object: each must be there,
 * those in SEC("?...") where this kernel has their probe (one at least).
 */
#ifndef CANDIDATE_H
#define CANDIDATE_H

#include <bpf/libbpf.h>

#include "buf.h"

#define CANDIDATES 6

struct probe {
	const char *what; /* "block I/O start": what is observed, for check and errors */

	/*
	 * Each: names of BPF programs, space between; one ending in '?' may be missing. A candidate
	 * beginning with '~' has fentry or fexit programs that take long enough to be interrupted:
	 * where the kernel preempts (kernel.h) it comes after the others.
	 */
	const char *candidates[CANDIDATES];
	const char *lost;   /* what is missed without it; NULL: the applet cannot do without */
	const bool *wanted; /* NULL is always: a probe that only some options need */
	const bool *unless; /* NULL is never: one that some options make needless */
};

/* The programs of SYSCALL_RETURN() (bpf/lib/syscall.bpf.h) for a candidate. */
#define RETURNED(call) "returned_" #call " returned_" #call "_32? "

enum verdict { PROBE_OK, PROBE_DEGRADED, PROBE_UNAVAILABLE };

/* What was chosen for one probe. */
struct choice {
	const char *what;
	const char *chosen; /* the candidate's programs; NULL: none of them is in this kernel */
	const char *lost;
	enum verdict verdict;
};

struct choices {
	struct choice probe[32];
	int n;
	enum verdict verdict; /* the worst of them */
	u64 refused[32];      /* bit c of [p]: candidate c was there, but the kernel refused it */
};

/*
 * Chooses for each probe and sets autoload of the object's programs to it. `refused` is kept from
 * call to call, so that after a failed load the next candidate has its turn. `btf_fd` is
 * object_open()'s.
 */
void candidates_choose(struct bpf_object *obj, const struct probe *probes, struct choices *c,
		       int btf_fd);

/* Marks the candidate that `prog` belongs to as refused; false if it was the last one to try. */
bool candidates_refuse(const struct probe *probes, struct choices *c, const char *prog);

/* Whether this kernel has the probe that a section name, such as "tp_btf/sched_switch", names. */
bool candidate_exists(const char *section);

#endif
