/*
 * What applets share that one program of site.bpf.h attaches to whatever the command line names:
 * options, and the steps of an applet's life. A map called `counters`, if the object has one, gets
 * room for all sites.
 */
#ifndef PROBE_PROBED_H
#define PROBE_PROBED_H

#include "attach.h"
#include "opt.h"
#include "run.h"

#define PROBED_PATTERNS 64

struct probed {
	const char *pattern[PROBED_PATTERNS];
	struct spec spec[PROBED_PATTERNS];
	int n;
	bool regex, list;
	bool fields; /* set by an applet that reads the fields of tracepoints */
	bool stacks; /* set by an applet that takes stacks */
	bool calls;  /* entries and returns of functions (pair.h), which tell the numbers of call.h
		      */
	u32 functions; /* what the numbers, or those of call.h, are below */
	struct sites sites;
	struct attach attach;
};

extern struct probed probed;

extern const struct opt args_patterns[];
#define ARGS_PATTERNS args_patterns
extern const struct opt args_functions[]; /* for those who follow calls */
#define ARGS_FUNCTIONS args_functions
extern const struct opt args_pattern[]; /* just one */
#define ARGS_PATTERN args_pattern
#define OPT_REGEXP(l)                                                                              \
	OPT(l, "regexp", NULL, &probed.regex, "take the pattern as a regular expression")
#define OPT_LIST_PROBES(l)                                                                         \
	OPT(l, "debug", NULL, &probed.list, "print what is probed before tracing")

/* The unit of times, -u or -m, else nanoseconds: once probed_check_unit() has been called. */
struct probed_unit {
	bool us, ms;
	u32 ns;
	const char *name;
};

extern struct probed_unit probed_unit;

#define OPT_UNITS                                                                                  \
	OPT('u', "microseconds", NULL, &probed_unit.us, "count microseconds, not nanoseconds"),    \
		OPT('m', "milliseconds", NULL, &probed_unit.ms,                                    \
		    "count milliseconds, not nanoseconds")
void probed_check_unit(void);

/* For an applet's check(), prepare() and attached(), or to be called there. They exit on errors. */
void probed_check(void);
void probed_prepare(struct run *run);
void probed_attached(struct run *run);

/*
 * The same for applets that follow calls from entry to return: only functions can be meant. Their
 * object counts `missed_returns` (bpf/lib/call.bpf.h).
 */
void probed_check_calls(void);

/* For check() of an applet that has its pattern built in. */
void probed_add(const char *pattern);

/* Whether a pattern means anything on this machine. */
bool probed_exists(const char *pattern);

/* The site, or of calls the entry, that a number means. */
const struct site *probed_site(u32 number);

/* For a column's .name: that of a site or function, of which the row has the number, a u32. */
void probed_name(struct buf *b, const void *field, const void *row);

/* "tcp_*", and "..." if there are more: for banners. */
void probed_title(struct buf *b);

#endif
