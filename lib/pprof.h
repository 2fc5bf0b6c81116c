/*
 * Stacks for pprof, speedscope and others that read its format.
 *
 * Source: profile.proto of github.com/google/pprof (messages and field numbers); it is compressed
 * by gzip, RFC 1952.
 */
#ifndef PPROF_H
#define PPROF_H

#include "buf.h"
#include "intern.h"

/* Strings are interned by the caller, and stay. */
struct pprof_frame {
	const char *name;
	const char *module;   /* a path, "[ext4]", NULL */
	const char *build_id; /* in hexadecimal, NULL */
	u64 address;          /* in the module, 0 if that is not known */
};

struct pprof_ids; /* things that have a number each */

struct pprof {
	struct pprof_ids *strings, *functions, *mappings, *locations;
	struct buf tables, samples; /* encoded fields of Profile */
};

void pprof_begin(struct pprof *p);

/* `frames`: the innermost first. `comm` is interned. Dies if there is no memory. */
void pprof_sample(struct pprof *p, const struct pprof_frame *frames, size_t n, u64 value,
		  const char *comm, u32 pid);

/* Appends the file. Values are of `type` ("samples") in `unit` ("count"). 0 or -errno. */
int pprof_end(struct pprof *p, struct buf *b, const char *type, const char *unit, u64 duration_ns);

#endif
