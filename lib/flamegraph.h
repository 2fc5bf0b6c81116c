/*
 * Stacks as a picture: every frame a box as wide as the share of all that was counted in it and in
 * what it called, its caller below. The picture is one SVG file with its own script (zoom, search,
 * tooltips), and needs nothing beside it.
 */
#ifndef FLAMEGRAPH_H
#define FLAMEGRAPH_H

#include "buf.h"
#include "intern.h"

/* What a frame is of: its colour. */
enum frame_kind { FRAME_TASK, FRAME_USER, FRAME_JIT, FRAME_KERNEL, FRAME_NOTE, FRAME_KINDS };

struct flame_node {
	const char *name; /* interned */
	enum frame_kind kind;
	u32 parent, next, child; /* numbers of nodes; 0, the root, is none */
	u64 total;               /* with what it called */
};

struct flame {
	struct flame_node *nodes;
	u32 n, room;
	u32 *slots; /* of nodes, by parent, name and kind */
	size_t slots_room;
};

/* The frame of this name that `parent` (0: nobody) calls, with `weight` more in it. Dies if there
 * is no memory. `name` is interned, and stays. */
u32 flame_add(struct flame *f, u32 parent, const char *name, enum frame_kind kind, u64 weight);

/* Counts a whole stack: before its frames are added, from 0 on. */
void flame_count(struct flame *f, u64 weight);

/* Appends the file. `unit`: what is counted, "samples". */
void flame_svg(struct flame *f, struct buf *b, const char *title, const char *unit);

void flame_free(struct flame *f);

#endif
