#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "maps.h"
#include "unwind.h"
#include "util.h"

#ifdef __aarch64__
#define OUR_MACHINE EM_AARCH64
#define PT_PC       32
static const u8 pt_of[] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
			    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31 };
#else
#define OUR_MACHINE EM_X86_64
#define PT_PC       16
/* arch/x86/include/uapi/asm/ptrace.h, by DWARF's numbers: ax dx cx bx si di bp sp r8... */
static const u8 pt_of[] = { 10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0 };
#endif

/* What is known of a file's code; of all processes that have it. */
struct code {
	struct code *next;
	u64 dev, ino; /* 0, 0: the vDSO */
	struct elf_loads loads;
	struct ehframe frames;
	bool known; /* frames is loaded */
};

struct span {
	u64 start, end, offset;
	struct code *code;
};

struct process {
	struct process *next;
	u32 pid;
	struct span *spans;
	size_t n, room;
};

struct unwind {
	struct code *code;
	struct process *processes;
};

struct unwind *unwind_new(void)
{
	return calloc(1, sizeof(struct unwind));
}

void unwind_free(struct unwind *u)
{
	for (struct process *p = u->processes, *next; p; p = next) {
		next = p->next;
		free(p->spans);
		free(p);
	}
	for (struct code *c = u->code, *next; c; c = next) {
		next = c->next;
		if (c->known)
			ehframe_free(&c->frames);
		free(c);
	}
	free(u);
}

void unwind_regs(struct cfi_regs *regs, const u64 *pt)
{
	*regs = (struct cfi_regs){ .pc = pt[PT_PC] };
	for (u32 i = 0; i < ARRAY_SIZE(pt_of); i++) {
		regs->value[i] = pt[pt_of[i]];
		regs->known |= 1ull << i;
	}
}

u64 unwind_sp(const struct cfi_regs *regs)
{
	return regs->value[cfi_machine(OUR_MACHINE)->sp];
}

/* Files */

static void load(struct code *c, struct elf_file *f)
{
	elf_read_sections(f); /* it may have none */
	if (!elf_read_segments(f)) {
		c->loads = f->loads;
		c->known = !ehframe_load(&c->frames, f);
	}
	elf_close(f);
}

static void load_file(struct code *c, u32 pid, const struct map *m)
{
	struct elf_file f;
	struct stat st;
	int located = maps_locate(pid, m, &st), fd;

	if (located < 0)
		return;
	fd = located_open(located);
	close(located);
	if (fd < 0)
		return;
	if (!elf_open(&f, fd))
		load(c, &f);
	close(fd);
}

/* Ours is everybody's. */
static void load_vdso(struct code *c, u64 size)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct elf_file f;

	if (image && !elf_open_mem(&f, image, size))
		load(c, &f);
}

static struct code *code_of(struct unwind *u, u32 pid, const struct map *m)
{
	bool vdso = !m->ino && !strcmp(m->path, "[vdso]");
	struct code *c = u->code;

	if (!m->ino && !vdso)
		return NULL;
	while (c && (c->dev != m->dev || c->ino != m->ino))
		c = c->next;
	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->dev = m->dev;
	c->ino = m->ino;
	c->next = u->code;
	u->code = c;
	if (vdso)
		load_vdso(c, m->end - m->start);
	else
		load_file(c, pid, m);
	return c;
}

/* Processes */

struct reading {
	struct unwind *u;
	struct process *p;
};

static int add_span(const struct map *m, void *arg)
{
	struct reading *r = arg;
	struct process *p = r->p;

	if (!m->exec)
		return 0;
	if (p->n == p->room) {
		size_t room = p->room * 2 ?: 16;
		struct span *more = realloc(p->spans, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->spans = more;
		p->room = room;
	}
	p->spans[p->n++] = (struct span){ m->start, m->end, m->offset, code_of(r->u, p->pid, m) };
	return 0;
}

/* The process, first in the list from then on. */
static struct process *find(struct unwind *u, u32 pid)
{
	for (struct process **at = &u->processes, *p; (p = *at); at = &p->next)
		if (p->pid == pid) {
			*at = p->next;
			p->next = u->processes;
			u->processes = p;
			return p;
		}
	return NULL;
}

int unwind_refresh(struct unwind *u, u32 pid)
{
	struct process now = { .pid = pid }, *p = find(u, pid);
	struct reading r = { u, &now };
	int err = maps_each(pid, add_span, &r);

	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p) {
			free(now.spans);
			return -ENOMEM;
		}
		now.next = u->processes;
		*p = now;
		u->processes = p;
		return err;
	}
	if (err) {
		free(now.spans);
		return err;
	}
	free(p->spans);
	now.next = p->next;
	*p = now;
	return 0;
}

/* Frames */

static const struct span *span_at(const struct process *p, u64 pc)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->spans[mid].end <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->n && p->spans[low].start <= pc ? &p->spans[low] : NULL;
}

static const struct ehframe *row_at(const struct process *p, u64 pc, struct cfi_row *row)
{
	const struct span *s = span_at(p, pc);
	u64 addr;

	if (!s || !s->code || !s->code->known ||
	    !elf_address_of(&s->code->loads, pc - s->start + s->offset, &addr) ||
	    ehframe_find(&s->code->frames, addr, row))
		return NULL;
	return &s->code->frames;
}

struct copy {
	const u8 *bytes;
	u64 at, size;
};

static bool read_copy(void *ctx, u64 addr, u64 *value)
{
	const struct copy *c = ctx;
	u64 offset = addr - c->at;

	if (c->size < sizeof(*value) || offset > c->size - sizeof(*value))
		return false;
	memcpy(value, c->bytes + offset, sizeof(*value));
	return true;
}

size_t unwind(struct unwind *u, u32 pid, const struct unwind_sample *s, u64 *ip, size_t room,
	      enum unwind_end *end)
{
	const u32 sp = cfi_machine(OUR_MACHINE)->sp;
	struct copy copy = { s->stack, unwind_sp(&s->regs), s->size };
	struct process *p = find(u, pid);
	struct cfi_regs regs = s->regs;
	bool called = false; /* the pc is where a call returns to: its call is before it */
	size_t n = 0;

	*end = UNWIND_ROOM;
	if (!p && !unwind_refresh(u, pid))
		p = find(u, pid);
	while (n < room) {
		const struct ehframe *e;
		struct cfi_row row;
		u64 before = regs.value[sp];
		int err;

		ip[n++] = regs.pc;
		*end = UNWIND_CODE;
		e = p ? row_at(p, regs.pc - called, &row) : NULL;
		if (!e)
			break;
		err = cfi_step(e->machine, &row, &regs, read_copy, &copy);
		*end = err > 0 ? UNWIND_WHOLE : err == -EFAULT ? UNWIND_STACK : UNWIND_CODE;
		if (err || regs.value[sp] < before)
			break;
		called = !row.signal;
		*end = UNWIND_ROOM;
	}
	return n;
}
