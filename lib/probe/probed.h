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
	struct sites sites;
	struct attach attach;
};

extern struct probed probed;

extern const struct opt args_patterns[];
#define ARGS_PATTERNS args_patterns
#define OPT_REGEXP(l)                                                                              \
	OPT(l, "regexp", NULL, &probed.regex, "take the pattern as a regular expression")
#define OPT_LIST_PROBES(l)                                                                         \
	OPT(l, "debug", NULL, &probed.list, "print what is probed before tracing")

/* For an applet's check(), prepare() and attached(), or to be called there. They exit on errors. */
void probed_check(void);
void probed_prepare(struct run *run);
void probed_attached(struct run *run);

/* For check() of an applet that has its pattern built in. */
void probed_add(const char *pattern);

/* For a column's .name: that of a site, of which the row has the number, a u32. */
void probed_name(struct buf *b, const void *field, const void *row);

/* "tcp_*", and "..." if there are more: for banners. */
void probed_title(struct buf *b);

#endif
