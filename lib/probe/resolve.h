/*
 * From the name of a probe to the places it means: kernel functions of the kernel and its modules,
 * tracepoints, functions and USDT probes of ELF files. A place is a site; its number is what the
 * program that fires there is told (attach.h).
 *
 * Source: tracefs' available_filter_functions ("NAME [MODULE]" a line) and events/, and of debugfs
 * kprobes/blacklist ("START-END\tNAME"): Documentation/trace/ftrace.rst, kprobes.rst.
 */
#ifndef PROBE_RESOLVE_H
#define PROBE_RESOLVE_H

#include <stddef.h>

#include "library.h"
#include "operand.h"
#include "spec.h"

/* A kernel function, tracepoint or place in a file. */
struct site {
	enum spec_kind kind;
	u32 number;       /* what the program is told: its place in the list */
	const char *name; /* "vfs_read", "block:block_rq_issue", "malloc", "provider:probe" */
	u64 offset;       /* into the kernel's function; of user sites, in the file */
	u64 semaphore;    /* in the file, 0: none; the kernel counts it up while probed */
	const struct site_args *args; /* of USDT */
	const struct file *in;        /* the file; NULL: the kernel */
	bool traceable;               /* known to be in available_filter_functions, once */
	bool at_ret; /* SPEC_RETURN, at one of the function's return instructions: no uretprobe */
};

/* The arguments of one place of a USDT probe: another place may have them elsewhere. */
struct site_args {
	u32 n;
	struct site_arg {
		struct operand at;
		const char *why; /* why it is not known where; NULL: it is */
	} arg[];
};

/* A file with user sites. The kernel is given /proc/self/fd/N. */
struct file {
	struct library library;
	struct file *next;
};

struct sites {
	struct site *at;
	u32 n;
	/* Functions that a pattern meant and that are left out: several of one name; by the
	 * kernel's own list of what must not be probed; of files, what nobody can tell the place
	 * of. */
	u32 ambiguous, forbidden;

	struct file *files;
	struct names *names; /* what the strings are in */
	u32 room;
};

/*
 * Adds what `spec` means; pid (0: none) says whose libraries. 0; -ENOENT and others with *err,
 * whose text says what can be done; what was added before stays.
 */
int sites_add(struct sites *s, const struct spec *spec, u32 pid, struct spec_error *err);
void sites_free(struct sites *s);

/* If they are one function that today's kernels have, but do not call: what they call; or NULL. */
const char *sites_instead(const struct sites *s);

/*
 * For those who only count: sorts them, drops what is there twice, and gives one number to all
 * places of a USDT probe, or of a Go function's return, that of the first.
 */
void sites_unique(struct sites *s);

/* For the parts of the resolver: a new site with a copy of the name; NULL: out of memory. */
struct site *sites_new(struct sites *s, enum spec_kind kind, const char *name);
const char *sites_copy(struct sites *s, const char *text);
void *sites_room(struct sites *s, size_t size); /* that lives as long; aligned */
int sites_add_user(struct sites *s, const struct spec *spec, u32 pid, struct spec_error *err);
int resolve_error(struct spec_error *err, u32 at, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
