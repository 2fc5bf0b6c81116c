/*
 * A probe as trace and argdist write it, from its text to programs that run there. Between the
 * name of a probe and what a tool does with it stands, the same for every tool: the signature, what
 * expressions mean at each place (parameters, fields, the return value), what has to be saved at a
 * function's entry for its return ($entry(), $latency), who is traced, loading, attaching, losses.
 *
 *	programs_init(&s, NULL);                  once a run
 *	program_parse(&p, text, &err);            name and signature; the tool reads from p.end on
 *	program_resolve(&s, &p, false, &err);     the places, and what is known there
 *	program_need(&p, source, &err);           of each expression: what must be saved at the
 *entry program_compile(&s, &p, make, ctx, &err); make() states what is done where it fires
 *	program_load(&s, &p, &why);
 *	program_attach(&s, &p, &why);
 *	missed = program_detach(&p);
 *
 * Places where the same is known share a program, a shape: there is one for a function or a
 * pattern of them, one for each tracepoint, one for the places of a USDT probe whose arguments are
 * found alike.
 */
#ifndef PROBE_PROGRAM_H
#define PROBE_PROGRAM_H

#include "attach.h"
#include "expr/expr.h"
#include "filter.h"
#include "loss.h"

#define PROGRAM_ENTRIES 16 /* different $entry() of a probe */

/* What the probes of a run share. */
struct programs {
	struct expr_types *types;
	struct expr_macros *macros;      /* of -I; NULL: none */
	const struct bcc_filter *filter; /* who is traced; NULL: everybody */
	int cgroupmap, mntnsmap;         /* if the filter wants them: numbers of pinned maps */
	u64 pidns_dev, pidns_ino;        /* 0: processes are numbered as the kernel does */
	u32 pid;                         /* whose libraries, and user probes of it only; 0: any */
	char *module;                    /* whose types were added */
	int *maps, nmaps;                /* descriptors by the numbers that statements use */
	int lost[LOST_KINDS];            /* numbers of the maps where programs count losses */
	bool verbose;                    /* to keep what the verifier says */
	bool stacks;                     /* statements take stacks of the kernel */
};

/*
 * Reads the kernel's types (`btf`: from that file); without any there are the base types of C.
 * 0 or -errno.
 */
int programs_init(struct programs *s, const char *btf);
void programs_free(struct programs *s);

/* A number for a map; -1 as its descriptor until s->maps[number] is set, before loading. */
int programs_map(struct programs *s, int fd);

/* How much of a kind was lost so far, by all programs. */
u64 programs_lost(const struct programs *s, enum bcc_loss kind);

/* What expressions mean at some places, and the program of these. */
struct shape {
	struct sites sites; /* of the program's; files and names are its */
	struct expr_name *names, *fields, retval;
	struct expr_scope scope;
	struct expr_prog *code;
	struct attach attach;
};

struct program {
	const char *text; /* the caller's; must stay */
	struct spec spec;
	struct expr_source signature; /* between the parentheses */
	bool has_signature;           /* that is not empty */
	u32 end;                      /* what follows in the text */
	struct sites sites;
	struct shape *shapes;
	u32 nshapes;
	struct shape entry;       /* of a return: code is NULL if nothing has to be saved */
	struct sites entry_sites; /* what the entry's are of */
	struct expr_source entries[PROGRAM_ENTRIES];
	struct expr_saved saved[PROGRAM_ENTRIES];
	int nentries;
	bool latency;
	int record; /* number of the map for expr_record() */
	int entry_record, saved_map;
	struct program_fds {
		int *fd, n;
	} loaded;
};

/* Reads the name and the signature that `text` begins with. 0, -EINVAL with *err, -ENOMEM. */
int program_parse(struct program *p, const char *text, struct expr_error *err);
void program_free(struct program *p);

/*
 * Finds the places. `dry`: kernel functions are believed to be there, to compile without the
 * kernel's leave. 0; -ENOENT and others with *err; -EINVAL: the signature is wrong.
 */
int program_resolve(struct programs *s, struct program *p, bool dry, struct expr_error *err);

/* Notes what an expression at a return wants from the entry. False with *err. */
bool program_need(struct program *p, struct expr_source source, struct expr_error *err);

/*
 * Compiles for every shape: who is traced and what was saved is dealt with when make() adds its
 * statements, expr_record(code, p->record, ...) among them. make() returns false with *err.
 * 0; -EINVAL with *err; -E2BIG.
 */
typedef bool (*program_make)(struct program *p, u32 shape, struct expr_prog *code, void *ctx,
			     struct expr_error *err);
int program_compile(struct programs *s, struct program *p, program_make make, void *ctx,
		    struct expr_error *err);

/* The instructions of all of them. */
void program_dump(const struct program *p, struct buf *b);

/* 0 or -errno with `why`, which has the verifier's log if s->verbose. */
int program_load(struct programs *s, struct program *p, struct buf *why);

/*
 * 0 if it is attached at one place at least, else -errno and `why`. Of the places that the kernel
 * refuses *refused is how many.
 */
int program_attach(struct program *p, u32 *refused, struct buf *why);

/* Detaches; how often a probe fired that the kernel did not pass on is returned. */
u64 program_detach(struct program *p);

#endif
