/*
 * Stacks as people read them. run_stacks() prints a table of them; an applet that prints its own
 * (more stacks to a row) takes them by id and writes them with the same functions.
 */
#ifndef STACKS_H
#define STACKS_H

#include "buf.h"
#include "flamegraph.h"
#include "ksyms.h"
#include "run.h"
#include "stack.h"
#include "usyms.h"

/* Where a user stack ends. */
enum stack_end {
	STACK_COMPLETE,  /* where its thread began */
	STACK_TRUNCATED, /* before: a function without a frame pointer */
	STACK_DEEP,      /* before: it has more frames than are kept */
	STACK_LARGE,     /* before: it is larger than what --unwind copies */
	STACK_UNKNOWN,   /* nothing is known of the process any more */
	STACK_ENDS,
};

/* Where names come from, and how often they could not: both tables are read when first needed. */
struct names {
	struct ksyms *kernel;
	struct usyms *user;
	bool offsets;         /* name+0x1f */
	bool addresses;       /* in lists, before the name */
	bool annotations;     /* kernel frames end in _[k] */
	int indent;           /* of lists */
	u32 report;           /* frames keep their names while this is the same, and not 0 */
	u64 gone, refused;    /* user stacks without names: the process had ended; is not ours */
	u64 ends[STACK_ENDS]; /* user stacks, each as often as it was counted */
};

#define OF_KERNEL ((u32)-1) /* in place of a pid; 0 is a process that is not visible here */

/*
 * Of a process, or OF_KERNEL. `stack` NULL is one that was lost, as a line of its
 * own says. The innermost frame comes first, in fold() last.
 */
void stack_list(struct buf *b, struct names *names, u32 pid, const struct bcc_stack *stack);
void stack_fold(struct buf *b, struct names *names, u32 pid, const struct bcc_stack *stack);
void stack_json(struct buf *b, struct names *names, u32 pid, const struct bcc_stack *stack);

/*
 * Says by names and files where the frames end, as nothing else is known of them: there are no
 * registers. Of what --unwind unwound, the unwinder knows.
 */
enum stack_end stack_end(struct names *names, u32 pid, const struct bcc_stack *stack);

/*
 * Drops outermost frames that lie in no executable memory: what functions without frame pointers
 * had in that register. After stack_end().
 */
void stack_trim_user(struct names *names, u32 pid, struct bcc_stack *stack);

/* One frame, or what stands in its place; strings are good during the call. */
struct frame {
	const char *name;
	size_t len;
	enum frame_kind kind;
	u64 ip;                        /* 0: it is no frame */
	const struct sym *sym;         /* NULL likewise */
	const struct stack_part *part; /* of a PART_NAME; and the row, and its process */
	const char *row;
	u32 pid;
};
typedef void (*stack_each)(void *to, const struct frame *f);

/* Calls each() for all frames, one by one. */
void stack_frames(struct names *names, u32 pid, const struct bcc_stack *stack, bool root_first,
		  stack_each each, void *to);

/*
 * What a row of stacks consists of, in its order, where it is not the kernel's frames, the user's
 * and `comm`. Stacks in `fold` are the root first, in `list` last, unless they `flip`.
 */
struct stack_part {
	enum stack_part_kind {
		PART_END,
		PART_KERNEL, /* the stack in column `key`; NULL: all of the kind */
		PART_USER,
		PART_DASH, /* with -d the text `key`, if there are frames on both sides */
		PART_NAME, /* column `key`; in lists after `label`, and before the column `id` */
		PART_TEXT, /* `key` itself */
	} what;
	const char *key;
	bool flip;
	const char *label, *id;
};

struct stack_layout {
	const struct stack_part *list, *fold;
};

/* A part of a folded line, after another if `b` does not end a line: `;` in it becomes `:`. */
void fold_part(struct buf *b, size_t line, const char *s, size_t n);

/*
 * Drops the frames on top that are ours: BPF's and the tracepoint's. A stack of sched_switch then
 * begins at __schedule; BCC's, by a probe on a function that __schedule calls, one frame further
 * in.
 */
void stack_trim(struct names *names, struct bcc_stack *stack);

/*
 * The kernel's or a user stack by its id; NULL if it was lost. Good until the next of its kind.
 * This is where an unwinder comes in: it adds what it made to the set that is asked first.
 */
const struct bcc_stack *stack_kernel(struct run *run, struct names *names, u64 id);
const struct bcc_stack *stack_user(struct run *run, u64 id);

/*
 * Events with stacks: their columns AS_KSTACK and AS_USTACK (COL_STACK) hold struct bcc_stack, with
 * an `n` above STACK_DEPTH if it could not be taken. An event may end before them, or have
 * something else there, if .show is off. In text the frames are below the row, or with -f all there
 * is.
 */
#define COL_STACK(field, head_, as_, show_, help_)                                                 \
	{                                                                                          \
		.key = #field, .head = head_, .help = help_, .type = COL_BYTES,                    \
		.offset = offsetof(ROW, field), .size = sizeof(struct bcc_stack), .as = as_,       \
		.show = show_                                                                      \
	}
bool stack_events(const struct applet *a); /* whether it has such columns */
void stack_event_header(struct buf *b, const struct applet *a);
void stack_event(struct buf *b, struct run *run, const void *row, size_t size);

/*
 * Before probes are live that take stacks, and for engines after the last is shown; between, the
 * names;
 * and what a row with stacks has: their frames as a list, as members of JSON, as fields of CSV.
 */
void stacks_names(struct run *run);
void stacks_nameless(struct run *run);
struct names *stacks_named(void);

/* For banners: "PID 1,2 by user + kernel stack"; without a list of ids, of `others`. */
void stacks_whose(struct buf *b, const char *others, bool user_only, bool kernel_only);

/* Each row once, before it is shown: counts where its stacks end, and adds it to the pictures. */
void stacks_row(struct run *run, const void *row, size_t size, u64 weight);
void stacks_text(struct buf *b, struct run *run, const void *row, size_t size);
void stacks_json(struct buf *b, struct run *run, const void *row, size_t size);
void stacks_csv_header(struct buf *b, const struct applet *a);
void stacks_csv(struct buf *b, struct run *run, const void *row, size_t size);

/* For engines of applets: what precedes the first report, and the rows of one, sorted. */
struct rows;
void stacks_begin(struct run *run);

/*
 * Above the frames that are shown are those of tracing itself, and they change when another tracer
 * comes to the same tracepoint or leaves it. Rows whose kernel stacks (ids, in their keys) differ
 * by them alone are made one: gives the rows, good until the next call. Their values are u64s to
 * add.
 */
struct rows *stacks_merged(struct run *run, struct rows *rows);
void stacks_print(struct run *run, const struct rows *rows);

/* Before loading: sizes of maps as the options say. */
void stacks_prepare(struct run *run);

#endif
