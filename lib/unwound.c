#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/version.h>
#include <bpf/libbpf.h>

#include "applet.h"
#include "intern.h"
#include "kernel.h"
#include "object.h"
#include "stackset.h"
#include "unwind.h"
#include "unwound.h"
#include "util.h"

#define BUFFER (8 * 1024 * 1024) /* some thousand copies, until they are taken: every 20 ms */

static struct unwind *unwinder;
static struct ring_buffer *copies;
static struct stackset distinct; /* by the hash of frames and end: the end, and the frames */
static u64 *ids;                 /* of the copies by their numbers; STACK_NONE: it was not seen */
static size_t room;

void unwound_prepare(struct run *run)
{
	struct bpf_map *map = bpf_object__find_map_by_name(run->obj, "stack_copies");

	if (!map)
		return;
	if (!common.unwind) {
		bpf_map__set_autocreate(map, false);
		bpf_map__set_autocreate(
			bpf_object__find_map_by_name(run->obj, "stack_copy_scratch"), false);
		return;
	}
	if (kernel_release() < KERNEL_VERSION(5, 15, 0))
		die("--unwind: kernels before 5.15 do not give programs a thread's registers");
	object_set(run->obj, "stack_unwind", &common.unwind, sizeof(common.unwind));
	bpf_map__set_max_entries(map, common.buffer ?: BUFFER);
}

static struct unwind *the_unwinder(void)
{
	if (!unwinder)
		unwinder = unwind_new();
	if (!unwinder)
		die_err(ENOMEM, "cannot unwind");
	return unwinder;
}

void unwound_refresh(u32 pid)
{
	if (common.unwind)
		unwind_refresh(the_unwinder(), pid);
}

static enum stack_end end_of(enum unwind_end end)
{
	switch (end) {
	case UNWIND_WHOLE: return STACK_COMPLETE;
	case UNWIND_ROOM: return STACK_DEEP;
	case UNWIND_STACK: return STACK_LARGE;
	default: return STACK_TRUNCATED;
	}
}

static void note(u64 number, u64 id)
{
	if (number >= room) {
		size_t more = 2 * number + 1024;

		ids = xrealloc(ids, more * sizeof(*ids));
		memset(ids + room, 0, (more - room) * sizeof(*ids));
		room = more;
	}
	ids[number] = id;
}

static int unwind_copy(void *ctx, void *data, size_t size)
{
	const struct stack_copy *c = data;
	struct unwind_sample sample;
	enum unwind_end why;
	struct bcc_stack s;
	u32 depth = common.stack_depth ?: STACK_DEPTH, below;
	u64 id, sp;

	(void)ctx;
	if (size < offsetof(struct stack_copy, bytes))
		return 0;
	if (depth == STACK_DEPTH) /* one place is the end's */
		depth--;
	unwind_regs(&sample.regs, c->regs);
	sp = unwind_sp(&sample.regs);
	below = sp - c->base;
	size -= offsetof(struct stack_copy, bytes);
	sample.stack = c->bytes + below;
	sample.size = below < size ? size - below : 0;
	s.n = 1 + unwind(the_unwinder(), c->pid, &sample, s.ip + 1, depth, &why);
	s.ip[0] = end_of(why);
	id = hash_bytes(s.ip, s.n * sizeof(*s.ip));
	stackset_add(&distinct, id, &s);
	note(c->number, id);
	return 0;
}

void unwound_take(struct run *run)
{
	if (!common.unwind)
		return;
	if (!copies)
		copies = ring_buffer__new(run_map(run, "stack_copies"), unwind_copy, NULL, NULL);
	if (!copies)
		die_err(errno, "cannot read copies of stacks");
	ring_buffer__consume(copies);
}

void unwound_settle(struct run *run, struct rows *rows)
{
	for (const struct column *c = run->applet->columns; c && c->key; c++) {
		if (c->as != AS_USTACK || c->size != sizeof(u64) || c->offset >= rows->value)
			continue;
		for (size_t i = 0; i < rows->n; i++) {
			u64 number = col_u64(c, rows_at(rows, i)), id = number;

			if (number != STACK_NONE && number != STACK_LOST)
				id = number < room && ids[number] ? ids[number] : STACK_LOST;
			memcpy(rows_at(rows, i) + c->offset, &id, sizeof(id));
		}
	}
}

bool unwound_get(u64 id, struct bcc_stack *s, enum stack_end *end)
{
	if (!stackset_get(&distinct, id, s) || !s->n)
		return false;
	*end = s->ip[0];
	s->n--;
	memmove(s->ip, s->ip + 1, s->n * sizeof(*s->ip));
	return true;
}
