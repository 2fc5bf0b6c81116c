/*
 * Stacks as people read them. run_stacks() prints a table of them; an applet that prints its own
 * (more stacks to a row) takes them by id and writes them with the same functions.
 */
#ifndef STACKS_H
#define STACKS_H

#include "buf.h"
#include "ksyms.h"
#include "run.h"
#include "stack.h"
#include "usyms.h"

/* Where names come from, and how often they could not: both tables are read when first needed. */
struct names {
	struct ksyms *kernel;
	struct usyms *user;
	bool offsets;      /* name+0x1f */
	bool addresses;    /* in lists, before the name */
	int indent;        /* of lists */
	u64 gone, refused; /* user stacks without names: the process had ended; is not ours */
};

#define OF_KERNEL ((u32)-1) /* in place of a pid; 0 is a process that is not visible here */

/*
 * Of a process, or OF_KERNEL. `stack` NULL is one that was lost, as a line of its
 * own says. The innermost frame comes first, in fold() last.
 */
void stack_list(struct buf *b, struct names *names, u32 pid, const struct bcc_stack *stack);
void stack_fold(struct buf *b, struct names *names, u32 pid, const struct bcc_stack *stack);
void stack_json(struct buf *b, struct names *names, u32 pid, const struct bcc_stack *stack);

/* A part of a folded line, after another if `b` does not end a line: `;` in it becomes `:`. */
void fold_part(struct buf *b, size_t line, const char *s, size_t n);

/*
 * Drops the frames on top that are ours: BPF's and the tracepoint's. A stack of sched_switch then
 * begins at __schedule; BCC's, by a probe on a function that __schedule calls, one frame further
 * in.
 */
void stack_trim(struct names *names, struct bcc_stack *stack);

/* The kernel's or a user stack by its id; NULL if it was lost. Good until the next of its kind. */
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
 * For the engines: before the first stack is shown, and after the last; between them, the names;
 * and what a row with stacks has: their frames as a list, as members of JSON, as fields of CSV.
 */
void stacks_names(struct run *run);
void stacks_nameless(void);
struct names *stacks_named(void);
void stacks_text(struct buf *b, struct run *run, const void *row, size_t size);
void stacks_json(struct buf *b, struct run *run, const void *row, size_t size);
void stacks_csv_header(struct buf *b, const struct applet *a);
void stacks_csv(struct buf *b, struct run *run, const void *row, size_t size);

/* Before loading: sizes of maps as the options say. */
void stacks_prepare(struct run *run);

#endif
