/*
 * Options, declared once. An applet lists them in an array; help, usage, the
 * man page, completion and the parser all read that array. The destination's C
 * type says what the option takes, so nothing is parsed by hand.
 */
#ifndef OPT_H
#define OPT_H

#include <stdbool.h>

#include "filter.h"

#define PID_LIMIT 4194304 /* PID_MAX_LIMIT: no kernel has a pid above it */

enum opt_type {
	OPT_FLAG,
	OPT_INT,
	OPT_U32,
	OPT_U64,
	OPT_STR,
	OPT_IDS,
	OPT_USER,
	OPT_CMD,
	OPT_WORD
};

struct opt {
	int letter;       /* short option, or 0 for a long one only */
	const char *name; /* long option; of a positional, what usage calls it */
	const char *arg;  /* metavariable; NULL for a flag */
	const char *help;
	const char *also; /* another name that it is given by, or letter if it is but one */
	enum opt_type type;
	void *dst;
	u64 min, max; /* of numbers; max 0 is what the type holds */
	u64 scale;    /* multiply the number given: ms to ns and so on */

	/* For everything else: 0, or -EINVAL with `why`: "not a size", said before the argument. */
	int (*parse)(const char *arg, void *dst, char why[128]);
	const char *const *words; /* OPT_CHOICE: what there is to choose from, then NULL */
	bool *again;              /* flags: set when given a second time, as by -vv */
	bool needed; /* cannot be left out: positionals, and options whose `dst` is a string */
	bool many;   /* positionals, the last: takes what is left, one call of parse() each */
};

#define OPT_TYPE(dst)                                                                              \
	_Generic((dst),                                                                            \
		bool *: OPT_FLAG,                                                                  \
		int *: OPT_INT,                                                                    \
		u32 *: OPT_U32,                                                                    \
		u64 *: OPT_U64,                                                                    \
		struct bcc_ids *: OPT_IDS,                                                         \
		char ***: OPT_CMD,                                                                 \
		const char **: OPT_STR)

#define OPT(letter_, name_, arg_, dst_, help_, ...)                                                \
	{                                                                                          \
		.letter = letter_, .name = name_, .arg = arg_, .help = help_,                      \
		.type = OPT_TYPE(dst_), .dst = dst_, ##__VA_ARGS__                                 \
	}

/* An option whose value `parse` reads. */
#define OPT_PARSED(letter_, name_, arg_, parse_, dst_, help_, ...)                                 \
	{                                                                                          \
		.letter = letter_, .name = name_, .arg = arg_, .help = help_, .parse = parse_,     \
		.dst = dst_, .type = OPT_STR, ##__VA_ARGS__                                        \
	}

/* One of several words: dst, an enum, is the number of the one that is given. */
#define OPT_CHOICE(letter_, name_, arg_, dst_, help_, ...)                                         \
	{                                                                                          \
		.letter = letter_, .name = name_, .arg = arg_, .help = help_, .dst = dst_,         \
		.type = OPT_WORD, .words = (const char *const[])                                   \
		{                                                                                  \
			__VA_ARGS__, NULL                                                          \
		}                                                                                  \
	}

/* Where the shared options land. */
struct common {
	struct bcc_filter filter;
	const char *comm, *cgroup, *container, *btf, *cgroupmap, *mntnsmap;
	char **exec; /* --exec: NULL-terminated argv */
	u64 buffer;  /* bytes; 0 is the default */
	int duration, interval, count;
	int rows; /* tables: 0 is no limit */
	bool timestamp, print_uid, json, csv, verbose;
	bool folded, delimited, offsets, addresses, annotations; /* stacks */
	const char *flamegraph, *pprof;
	u32 stack_storage, stack_depth;
	const char *debug_dir; /* symbols */
	bool no_demangle, lines, unwind;
	bool noclear; /* top tables */
};
extern struct common common;

/* The applet picks the letter (BCC's tools disagree); meaning and help are fixed. */
#define OPT_PID(l)                                                                                 \
	OPT(l, "pid", "PID", &common.filter.pids, "trace this process only (a list: 1,2,3)")
#define OPT_TID(l)                                                                                 \
	OPT(l, "tid", "TID", &common.filter.tids, "trace this thread only (a list: 1,2,3)")
#define OPT_PPID(l)                                                                                \
	OPT(l, "ppid", "PPID", &common.filter.ppid, "trace children of this process only",         \
	    .min = 1, .max = PID_LIMIT)
#define OPT_UID(l)                                                                                 \
	{                                                                                          \
		.letter = l, .name = "uid", .arg = "USER", .type = OPT_USER,                       \
		.help = "trace this user only, by number or name",                                 \
		.dst = &common.filter.uid_plus_1                                                   \
	}
#define OPT_NAME(l) OPT(l, "name", "NAME", &common.comm, "trace processes whose name contains NAME")
#define OPT_DURATION(l)                                                                            \
	OPT(l, "duration", "SECONDS", &common.duration, "stop after this many seconds", .min = 1)
#define OPT_TIMESTAMP(l) OPT(l, "timestamp", NULL, &common.timestamp, "print a timestamp")
#define OPT_FOLDED(l)    OPT(l, "folded", NULL, &common.folded, "one line a stack, for flame graphs")
#define OPT_DELIMITED(l)                                                                           \
	OPT(l, "delimited", NULL, &common.delimited,                                               \
	    "print a delimiter between kernel and user frames")
#define OPT_OFFSET(l) OPT(l, "offset", NULL, &common.offsets, "print addresses as symbol+offset")
#define OPT_STACKS                                                                                 \
	OPT(0, "stack-storage-size", "N", &common.stack_storage,                                   \
	    "keep this many different stacks (default: all)", .min = 1, .max = 1 << 22),           \
		OPT(0, "perf-max-stack-depth", "N", &common.stack_depth,                           \
		    "keep this many frames of a stack (default 127)", .min = 1, .max = 127),       \
		OPT_SYMBOLS, OPT_PICTURES
#define OPT_UNWIND                                                                                 \
	OPT(0, "unwind", NULL, &common.unwind,                                                     \
	    "follow user stacks of code without frame pointers, by its .eh_frame: costs more")
#define OPT_SYMBOLS                                                                                \
	OPT(0, "debug-dir", "DIR", &common.debug_dir,                                              \
	    "look for debug files below this folder, too"),                                        \
		OPT(0, "no-demangle", NULL, &common.no_demangle,                                   \
		    "print names of C++ and Rust as the linker has them"),                         \
		OPT(0, "lines", NULL, &common.lines, "print lines of source, where known")
#define OPT_PICTURES                                                                               \
	OPT(0, "flamegraph", "FILE", &common.flamegraph,                                           \
	    "write a flame graph, as SVG; without -f instead of text"),                            \
		OPT(0, "pprof", "FILE", &common.pprof,                                             \
		    "write a profile for pprof and speedscope (.pb.gz), likewise")
#define OPT_CGROUP(l)                                                                              \
	OPT(l, "cgroup", "PATH", &common.cgroup, "trace this control group and those below it")
#define OPT_CGROUPMAP(l)                                                                           \
	OPT(l, "cgroupmap", "PATH", &common.cgroupmap,                                             \
	    "trace the control groups whose ids are in this pinned BPF map")
#define OPT_MNTNSMAP(l)                                                                            \
	OPT(l, "mntnsmap", "PATH", &common.mntnsmap,                                               \
	    "trace the mount namespaces whose inodes are in this pinned BPF map")
#define OPT_NOCLEAR(l)   OPT(l, "noclear", NULL, &common.noclear, "do not clear the screen")
#define OPT_ROWS(l)      OPT(l, "rows", "ROWS", &common.rows, "print this many rows at most", .min = 1)
#define OPT_PRINT_UID(l) OPT(l, "print-uid", NULL, &common.print_uid, "print the user ID")
#define OPT_INTERVAL(l)                                                                            \
	OPT(l, "interval", "SECONDS", &common.interval, "print this often", .min = 1)
#define OPT_BUFFER_PAGES(l)                                                                        \
	OPT(l, "buffer-pages", "PAGES", &common.buffer, "size of the event buffer in pages",       \
	    .min = 1, .max = 262144, .scale = 4096)
#define OPT_EXEC                                                                                   \
	OPT(0, "exec", "COMMAND...", &common.exec,                                                 \
	    "run COMMAND, the rest of the line, and trace it alone until it ends")

/* Positionals that many applets share. */
extern const struct opt args_interval_count[], args_every_second[], args_every_5_seconds[],
	args_duration[], args_pid[];
#define ARGS_INTERVAL_COUNT  args_interval_count
#define ARGS_EVERY_SECOND    args_every_second /* the same, where a second is the default */
#define ARGS_EVERY_5_SECONDS args_every_5_seconds
#define ARGS_DURATION        args_duration
#define ARGS_PID             args_pid /* "[pid]", 0 is all */

struct applet;
void opt_parse(const struct applet *a, int argc, char **argv);

/* A usage error: one line that names the applet, a pointer to --help, exit 2. */
void opt_error(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

struct buf;

/*
 * The options of an applet: its own in their order, then those that every applet has and this one
 * does not replace by a row of the same name; letters of those that it has for another are left
 * out. `own` says which it is.
 */
void opt_each(const struct applet *a, void (*each)(const struct opt *o, bool own, void *ctx),
	      void *ctx);

/* What --help and the page say of it, with its other name; to be freed. */
char *opt_text(const struct opt *o);

/* "[interval [count]]": what follows the options in a usage line, nothing if there is nothing. */
void opt_usage(struct buf *b, const struct applet *a);

/* What --help prints. */
void opt_help(struct buf *b, const struct applet *a);

#endif
