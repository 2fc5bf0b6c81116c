/*
 * An applet is one constant: what it is called, what it accepts, what it
 * prints and which engine runs it. Defining it is all the registration there is.
 */
#ifndef APPLET_H
#define APPLET_H

#include "candidate.h"
#include "column.h"
#include "object.h"
#include "opt.h"
#include "rows.h"
#include "run.h"
#include "util.h"

/* Two units and the flag that chooses the second: { "usecs", "msecs", &conf.ms }. */
struct unit {
	const char *name, *other;
	const bool *use_other;
	const char **named; /* or where check() leaves the name of one of several */
};

struct example {
	const char *args, *help;
};

struct applet {
	const char *name;
	const char *summary; /* after the dash in the man page's NAME */
	const char *doc;     /* paragraphs, an empty line between: what it traces, what it costs */
	const struct opt *options;
	const struct opt *positionals; /* in their order; see ARGS_INTERVAL_COUNT in opt.h */
	const struct column *columns;
	const struct example *examples;

	const char *object; /* bpf/.../<object>.bpf.c; default: the applet's name */
	bool no_object; /* without BPF: only run(); or, with attached(), it makes its programs there
			 */
	const struct stand_in *const *stand_ins; /* families: object.h; several of a name: the first
						    that this kernel has */
	const struct probe *probes;              /* alternatives; without them, see candidate.h */
	bool untyped;     /* its programs read no kernel structs but for filters: that saves time */
	const void *conf; /* copied to the object's `conf` before loading */
	size_t conf_size;

	const char *banner;           /* said first, as text: "Tracing ... Hit Ctrl-C to end." */
	void (*run)(struct run *run); /* an engine from run.h, or the applet's own */
	size_t value;                 /* map engines: where in a row the map's value begins */
	struct unit unit;             /* run_hist: what the buckets count */
	bool linear;                  /* run_hist: a slot a value */
	u32 step;                     /* or so many values; 0 is 1 */
	int indent;                   /* of lists of stacks; 0 is 4 */
	const struct stack_layout
		*layout;     /* of stacks.h: where a row has more than one of a kind */
	const bool *counted; /* run_table: if set, `counters` are the table, not `rows` */
	const char *sort;    /* key of the column to sort by, descending */
	bool ascending;      /* or ascending */
	int (*compare)(const void *a, const void *b); /* instead of `sort`: > 0 puts b first */

	/*
	 * Optional. check() sees the options once they are parsed: it sets what follows from them
	 * (and may refuse them with opt_error()). prepare() comes after open and before load.
	 * event() sees each event, row of a table or of counters, before it is printed and returns
	 * what to print, NULL for nothing. banner_text() replaces the banner. report() opens each
	 * report of a map engine in place of the empty line and the -T time. In text, line() may
	 * print a line in place of a histogram, of counters or of an event (then it returns true),
	 * footer() follows each histogram and total() the last one of a report, or a table.
	 * print_rows() replaces the printing of a sorted table, and of stacks in text.
	 */
	void (*check)(void);
	void (*prepare)(struct run *run);
	void (*attached)(struct run *run);
	const void *(*event)(struct run *run, const void *event, size_t *size);
	void (*banner_text)(struct buf *b);
	void (*report)(struct run *run);
	bool (*line)(struct buf *b, const void *row);
	void (*footer)(struct buf *b, const struct column *cols, const void *row);
	void (*total)(struct buf *b, const struct rows *rows);
	void (*print_rows)(struct run *run, const struct rows *rows, u64 now);

	/*
	 * Where an option such as -c makes another tool of it: `other` has the columns, engine,
	 * VALUE, banner and callbacks from when the probes are attached; it is not registered.
	 */
	const struct applet *other;
	const bool *use_other;
	unsigned keep_caps; /* bits of enum keep_caps: what run() still needs */
};

/* For map engines a row is the map's key followed by its value. */
#define VALUE(field) .value = offsetof(ROW, field)

#define CONF(c) .conf = &(c), .conf_size = sizeof(c)

struct applet_entry {
	const struct applet *applet;
	const char *layer; /* the folder of its file below cmd/ */
};

/*
 * Makes an applet known, by a pointer in the `applets` section. Not by a struct
 * itself: compilers align big structs, and the section would have gaps.
 */
#define APPLET(a)                                                                                  \
	static const struct applet_entry entry_##a = { &a, LAYER };                                \
	static const struct applet_entry *const applet_##a                                         \
		__attribute__((used, section("applets"))) = &entry_##a

extern const struct applet_entry *const __start_applets[], *const __stop_applets[];

const struct applet *applet_find(const char *name);
const char *applet_suggest(const char *name); /* the nearest name, NULL if none is near */

/* All of them by layer, from applications down to hardware, then by name; NULL-terminated. */
const struct applet_entry *const *applet_sorted(void);

void applet_list(struct buf *b);     /* names and summaries under their layers' headings */
int applet_install(const char *dir); /* symlinks to this binary; 0 or 1, like exit */
void make_folders(const char *dir);  /* mkdir -p; dies */

void applet_man(struct buf *b, const struct applet *a); /* the page, in man(7) */
void applet_completion(struct buf *b);                  /* for bash */

#endif
