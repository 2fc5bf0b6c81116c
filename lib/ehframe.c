#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ehframe.h"
#include "util.h"

#define REMEMBERED 16  /* rows that DW_CFA_remember_state can have in store */
#define DEPTH      32  /* of an expression's stack */
#define STEPS      256 /* of an expression */

static const struct cfi_machine machines[] = {
	{ EM_X86_64, 7, ~0ull },
	{ EM_AARCH64, 31, (1ull << 48) - 1 },
};

const struct cfi_machine *cfi_machine(u16 elf)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].elf == elf)
			return &machines[i];
	return NULL;
}

/* Reading */

/* What is read past the end is 0, and makes it bad. */
struct cursor {
	const u8 *at, *end;
	const u8 *base; /* whose address is `addr` */
	u64 addr;
	bool bad;
};

static u64 fixed(struct cursor *c, u32 size)
{
	u64 v = 0;

	if ((size_t)(c->end - c->at) < size) {
		c->bad = true;
		c->at = c->end;
		return 0;
	}
	memcpy(&v, c->at, size); /* little endian, as both machines are */
	c->at += size;
	return v;
}

static s64 fixed_signed(struct cursor *c, u32 size)
{
	u32 unused = 64 - 8 * size;

	return (s64)(fixed(c, size) << unused) >> unused;
}

static u64 leb(struct cursor *c, bool negative)
{
	u64 v = 0;
	u32 shift = 0;
	u8 byte;

	do {
		byte = fixed(c, 1);
		if (shift < 64)
			v |= (u64)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !c->bad);
	if (negative && byte & 0x40 && shift < 64)
		v |= ~0ull << shift;
	return v;
}

static u64 uleb(struct cursor *c)
{
	return leb(c, false);
}

static s64 sleb(struct cursor *c)
{
	return leb(c, true);
}

static void skip(struct cursor *c, u64 n)
{
	if (n > (u64)(c->end - c->at)) {
		c->bad = true;
		n = c->end - c->at;
	}
	c->at += n;
}

#define ENC_OMIT    0xff
#define ENC_PCREL   0x10
#define ENC_DATAREL 0x30

/* A pointer (DW_EH_PE_...); `data` is what relative ones count from. */
static u64 encoded(struct cursor *c, u8 enc, u64 data)
{
	u64 here = c->addr + (c->at - c->base), v;

	switch (enc & 0xf) {
	case 0x0:
	case 0x4:
	case 0xc: v = fixed(c, 8); break;
	case 0x1: v = uleb(c); break;
	case 0x2: v = fixed(c, 2); break;
	case 0x3: v = fixed(c, 4); break;
	case 0x9: v = sleb(c); break;
	case 0xa: v = fixed_signed(c, 2); break;
	case 0xb: v = fixed_signed(c, 4); break;
	default: c->bad = true; return 0;
	}
	switch (enc & 0x70) {
	case 0: return v;
	case ENC_PCREL: return v + here;
	case ENC_DATAREL: return v + data;
	}
	c->bad = true;
	return 0;
}

/* Files */

/* What is loaded from `addr` on, to the end of its segment; at most `limit` bytes. */
static int read_from(const struct elf_file *f, u64 addr, u64 limit, u8 **data, u64 *size)
{
	u64 offset;
	int err;

	if (!elf_offset_of(&f->loads, addr, &offset))
		return -ENOEXEC;
	*size = 0;
	for (u32 i = 0; i < f->loads.n; i++) {
		const struct elf_load *l = &f->loads.at[i];

		if (addr >= l->addr && addr - l->addr < l->size)
			*size = l->size - (addr - l->addr);
	}
	if (offset >= f->size || !*size)
		return -ENOEXEC;
	if (*size > f->size - offset)
		*size = f->size - offset;
	if (*size > limit)
		*size = limit;
	*data = malloc(*size);
	if (!*data)
		return -ENOMEM;
	err = elf_read(f, offset, *data, *size);
	if (err)
		free(*data);
	return err;
}

#define HDR 12 /* bytes before the table */

/* The header: a version, three encodings, where .eh_frame is, how many functions; the table. */
static int read_header(struct ehframe *e, const struct elf_file *f, u64 addr, u64 *frames)
{
	struct cursor c;
	u8 enc[3];
	u64 count;
	int err = read_from(f, addr, 64 + EHFRAME_TABLE * 8ull, &e->hdr, &e->hdr_size);

	if (err)
		return err;
	e->hdr_addr = addr;
	c = (struct cursor){ e->hdr, e->hdr + e->hdr_size, e->hdr, addr, false };
	if (fixed(&c, 1) != 1)
		return -ENOTSUP;
	for (int i = 0; i < 3; i++)
		enc[i] = fixed(&c, 1);
	if (enc[2] != (ENC_DATAREL | 0xb) || enc[1] == ENC_OMIT)
		return -ENOTSUP;
	*frames = encoded(&c, enc[0], addr);
	count = encoded(&c, enc[1], addr);
	if (c.bad || c.at - e->hdr != HDR) /* the table is where it always is */
		return -ENOTSUP;
	if (count > EHFRAME_TABLE || count > (e->hdr_size - HDR) / 8)
		return -ENOEXEC;
	e->count = count;
	return 0;
}

static int make_table(struct ehframe *e);

/* Static programs have no header: a table like its own is made of the section. */
static int load_section(struct ehframe *e, const struct elf_file *f)
{
	const Elf64_Shdr *s;
	int err = elf_section(f, ".eh_frame", &s);

	if (err)
		return err;
	e->addr = e->hdr_addr = s->sh_addr;
	err = read_from(f, s->sh_addr, EHFRAME_BYTES, &e->frames, &e->size);
	if (err)
		return err;
	if (e->size > s->sh_size)
		e->size = s->sh_size;
	err = make_table(e);
	if (err)
		ehframe_free(e);
	return err;
}

int ehframe_load(struct ehframe *e, const struct elf_file *f)
{
	const Elf64_Phdr *found = NULL;
	u64 frames;
	int err;

	*e = (struct ehframe){ .machine = cfi_machine(f->machine) };
	if (!e->machine || !f->wide)
		return -ENOTSUP;
	for (u32 i = 0; i < f->nsegments && !found; i++)
		if (f->segments[i].p_type == PT_GNU_EH_FRAME)
			found = &f->segments[i];
	if (!found)
		return load_section(e, f);
	err = read_header(e, f, found->p_vaddr, &frames);
	if (!err) {
		e->addr = frames;
		err = read_from(f, frames, EHFRAME_BYTES, &e->frames, &e->size);
	}
	if (!err) {
		u8 *less = realloc(e->hdr, HDR + e->count * 8ull);

		e->hdr = less ?: e->hdr;
		e->hdr_size = HDR + e->count * 8ull;
		return 0;
	}
	free(e->hdr);
	return err;
}

void ehframe_free(struct ehframe *e)
{
	free(e->hdr);
	free(e->frames);
	*e = (struct ehframe){};
}

/* Entries */

struct cie {
	struct cursor code;
	u64 code_align;
	s64 data_align;
	u32 ra;
	u8 enc;
	bool sized; /* the augmentation has a length */
	bool signal;
};

struct fde {
	struct cie cie;
	struct cursor code;
	u64 start, size;
};

/* What follows the length of the entry at an offset. */
static struct cursor entry_at(const struct ehframe *e, u64 offset)
{
	struct cursor c = { e->frames, e->frames + e->size, e->frames, e->addr, false };
	u64 len;

	skip(&c, offset);
	len = fixed(&c, 4);
	if (len == 0xffffffff)
		len = fixed(&c, 8);
	if (c.bad || !len || len > (u64)(c.end - c.at))
		c.bad = true;
	else
		c.end = c.at + len;
	return c;
}

static void augmentation(struct cie *cie, const char *text, struct cursor *c)
{
	u64 len = uleb(c);
	const u8 *end = c->at;

	skip(c, len);
	if (c->bad)
		return;
	end = c->at;
	c->at -= len;
	for (text++; *text && !c->bad; text++) {
		u8 enc;

		switch (*text) {
		case 'L': fixed(c, 1); break;
		case 'P':
			enc = fixed(c, 1);
			encoded(c, enc & 0x7f, 0);
			break;
		case 'R': cie->enc = fixed(c, 1); break;
		case 'S': cie->signal = true; break;
		case 'B': /* which of arm64's keys signs */ break;
		default: /* what follows has an unknown shape: skipped by its length */
			c->at = end;
			return;
		}
	}
	c->bad |= c->at > end;
	c->at = end;
}

static int read_cie(const struct ehframe *e, u64 offset, struct cie *cie)
{
	struct cursor c = entry_at(e, offset);
	const char *text;
	u8 version;

	*cie = (struct cie){};
	if (c.bad || fixed(&c, 4))
		return -ENOEXEC;
	version = fixed(&c, 1);
	text = (const char *)c.at;
	skip(&c, strnlen(text, c.end - c.at) + 1);
	if (c.bad || (version != 1 && version != 3))
		return -ENOEXEC;
	cie->code_align = uleb(&c);
	cie->data_align = sleb(&c);
	cie->ra = version == 1 ? fixed(&c, 1) : uleb(&c);
	cie->sized = *text == 'z';
	if (cie->sized)
		augmentation(cie, text, &c);
	else if (*text)
		return -ENOEXEC;
	cie->code = c;
	return c.bad || cie->ra >= CFI_REGS ? -ENOEXEC : 0;
}

static int read_fde(const struct ehframe *e, u64 offset, struct fde *fde)
{
	struct cursor c = entry_at(e, offset);
	u64 at = c.at - e->frames, back = fixed(&c, 4);
	int err;

	if (c.bad || !back || back > at)
		return -ENOEXEC;
	err = read_cie(e, at - back, &fde->cie);
	if (err)
		return err;
	fde->start = encoded(&c, fde->cie.enc, 0);
	fde->size = encoded(&c, fde->cie.enc & 0xf, 0);
	if (fde->cie.sized)
		skip(&c, uleb(&c));
	fde->code = c;
	return c.bad ? -ENOEXEC : 0;
}

static s32 table_at(const struct ehframe *e, u32 i, u32 field)
{
	s32 v;

	memcpy(&v, e->hdr + HDR + i * 8ull + field * 4, sizeof(v));
	return v;
}

static int by_start(const void *a, const void *b)
{
	s32 x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* Of all entries: where a function begins, and its entry, both from `hdr_addr` on. */
static int make_table(struct ehframe *e)
{
	size_t room = 0;

	for (u64 offset = 0; offset < e->size;) {
		struct cursor c = entry_at(e, offset);
		struct fde fde;
		s32 pair[2];

		if (c.bad) /* the end, as a rule: an entry without a length */
			break;
		if (!read_fde(e, offset, &fde) && fde.size) {
			if (e->count == EHFRAME_TABLE)
				return -ENOEXEC;
			if (e->count == room) {
				u8 *more;

				room = room * 2 ?: 256;
				more = realloc(e->hdr, HDR + room * sizeof(pair));
				if (!more)
					return -ENOMEM;
				e->hdr = more;
			}
			pair[0] = fde.start - e->hdr_addr;
			pair[1] = offset;
			if (e->hdr_addr + pair[0] == fde.start && offset <= INT32_MAX)
				memcpy(e->hdr + HDR + e->count++ * sizeof(pair), pair,
				       sizeof(pair));
		}
		offset = c.end - e->frames;
	}
	if (!e->count)
		return -ENOENT;
	e->hdr_size = HDR + e->count * 8ull;
	qsort(e->hdr + HDR, e->count, 8, by_start);
	return 0;
}

/* The entry of the last function that begins at the address or before. */
static int find_fde(const struct ehframe *e, u64 addr, struct fde *fde)
{
	u32 low = 0, high = e->count;
	u64 at;
	int err;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (e->hdr_addr + table_at(e, mid, 0) <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return -ENOENT;
	at = e->hdr_addr + table_at(e, low - 1, 1) - e->addr;
	if (at >= e->size)
		return -ENOEXEC;
	err = read_fde(e, at, fde);
	if (err)
		return err;
	return addr - fde->start < fde->size ? 0 : -ENOENT;
}

/* Rows */

struct program {
	struct cie *cie;
	struct cfi_row *row;
	struct cfi_row first; /* as the CIE leaves it: what DW_CFA_restore goes back to */
	struct cfi_row kept[REMEMBERED];
	u32 nkept;
	u64 at, until;
};

static void set(struct program *p, u64 reg, enum cfi_how how, s64 value)
{
	if (reg < CFI_REGS)
		p->row->reg[reg] = (struct cfi_rule){ .how = how, .value = value };
}

static s64 factored(const struct program *p, u64 value)
{
	return (s64)(value * (u64)p->cie->data_align);
}

static void set_expr(struct cursor *c, struct cfi_rule *rule, enum cfi_how how)
{
	u64 len = uleb(c);
	const u8 *expr = c->at;

	skip(c, len);
	if (!c->bad)
		*rule = (struct cfi_rule){ .how = how, .expr = expr, .len = len };
}

static void set_expr_of(struct program *p, struct cursor *c, enum cfi_how how)
{
	struct cfi_rule unused;
	u64 reg = uleb(c);

	set_expr(c, reg < CFI_REGS ? &p->row->reg[reg] : &unused, how);
}

static void set_cfa(struct program *p, u64 reg, s64 value)
{
	p->row->cfa = (struct cfi_rule){ .how = CFI_REGISTER, .value = value, .reg = reg };
}

static void restore(struct program *p, u64 reg)
{
	if (reg < CFI_REGS)
		p->row->reg[reg] = p->first.reg[reg];
}

/* Goes on; false if that is past what is looked for. */
static bool advance(struct program *p, u64 by)
{
	by *= p->cie->code_align;
	if (by > p->until - p->at)
		return false;
	p->at += by;
	return true;
}

static bool remember(struct program *p)
{
	if (p->nkept == REMEMBERED)
		return false;
	p->kept[p->nkept++] = *p->row;
	return true;
}

static bool recall(struct program *p)
{
	if (!p->nkept)
		return false;
	*p->row = p->kept[--p->nkept];
	return true;
}

/* One instruction that is not in the upper two bits alone. 0; 1: far enough; -ENOEXEC. */
static int extended(struct program *p, struct cursor *c, u8 op)
{
	u64 reg;

	switch (op) {
	case 0x00: /* nop */ return 0;
	case 0x01: /* set_loc */
		reg = encoded(c, p->cie->enc, 0);
		if (reg > p->until)
			return 1;
		p->at = reg;
		return 0;
	case 0x02: /* advance_loc1, 2, 4 */ return !advance(p, fixed(c, 1));
	case 0x03: return !advance(p, fixed(c, 2));
	case 0x04: return !advance(p, fixed(c, 4));
	case 0x05: /* offset_extended */
		reg = uleb(c);
		set(p, reg, CFI_OFFSET, factored(p, uleb(c)));
		return 0;
	case 0x06: /* restore_extended */ restore(p, uleb(c)); return 0;
	case 0x07: /* undefined */ set(p, uleb(c), CFI_UNDEFINED, 0); return 0;
	case 0x08: /* same_value */ set(p, uleb(c), CFI_SAME, 0); return 0;
	case 0x09: /* register */
		reg = uleb(c);
		set(p, reg, CFI_REGISTER, 0);
		if (reg < CFI_REGS)
			p->row->reg[reg].reg = uleb(c);
		else
			uleb(c);
		return 0;
	case 0x0a: return remember(p) ? 0 : -ENOEXEC;
	case 0x0b: return recall(p) ? 0 : -ENOEXEC;
	case 0x0c: /* def_cfa */
		reg = uleb(c);
		set_cfa(p, reg, uleb(c));
		return 0;
	case 0x0d: /* def_cfa_register */ set_cfa(p, uleb(c), p->row->cfa.value); return 0;
	case 0x0e: /* def_cfa_offset */ p->row->cfa.value = uleb(c); return 0;
	case 0x0f: /* def_cfa_expression */ set_expr(c, &p->row->cfa, CFI_VAL_EXPR); return 0;
	case 0x10: /* expression */ set_expr_of(p, c, CFI_EXPR); return 0;
	case 0x11: /* offset_extended_sf */
		reg = uleb(c);
		set(p, reg, CFI_OFFSET, factored(p, sleb(c)));
		return 0;
	case 0x12: /* def_cfa_sf */
		reg = uleb(c);
		set_cfa(p, reg, factored(p, sleb(c)));
		return 0;
	case 0x13: /* def_cfa_offset_sf */ p->row->cfa.value = factored(p, sleb(c)); return 0;
	case 0x14: /* val_offset */
		reg = uleb(c);
		set(p, reg, CFI_VAL_OFFSET, factored(p, uleb(c)));
		return 0;
	case 0x15: /* val_offset_sf */
		reg = uleb(c);
		set(p, reg, CFI_VAL_OFFSET, factored(p, sleb(c)));
		return 0;
	case 0x16: /* val_expression */ set_expr_of(p, c, CFI_VAL_EXPR); return 0;
	case 0x2d: /* AARCH64_negate_ra_state */ p->row->sealed = !p->row->sealed; return 0;
	case 0x2e: /* GNU_args_size */ uleb(c); return 0;
	case 0x2f: /* GNU_negative_offset_extended */
		reg = uleb(c);
		set(p, reg, CFI_OFFSET, -(u64)factored(p, uleb(c)));
		return 0;
	}
	return -ENOEXEC;
}

static int interpret(struct program *p, struct cursor c)
{
	while (c.at < c.end) {
		u8 op = fixed(&c, 1), low = op & 0x3f;
		int err = 0;

		switch (op & 0xc0) {
		case 0x40: /* advance_loc */ err = !advance(p, low); break;
		case 0x80: /* offset */ set(p, low, CFI_OFFSET, factored(p, uleb(&c))); break;
		case 0xc0: restore(p, low); break;
		default: err = extended(p, &c, op);
		}
		if (c.bad || err < 0)
			return -ENOEXEC;
		if (err)
			return 0;
	}
	return 0;
}

int ehframe_find(const struct ehframe *e, u64 addr, struct cfi_row *row)
{
	struct program p = { .row = row };
	struct fde fde;
	int err = find_fde(e, addr, &fde);

	if (err)
		return err;
	*row = (struct cfi_row){ .ra = fde.cie.ra, .signal = fde.cie.signal };
	p.cie = &fde.cie;
	err = interpret(&p, fde.cie.code);
	if (err)
		return err;
	p.first = *row;
	p.at = fde.start;
	p.until = addr;
	return interpret(&p, fde.code);
}

/* Steps */

struct machine {
	const struct cfi_regs *regs;
	cfi_read *read;
	void *ctx;
	u64 stack[DEPTH];
	u32 n;
	int err;
};

static void push(struct machine *m, u64 v)
{
	if (m->n == DEPTH)
		m->err = -ENOEXEC;
	else
		m->stack[m->n++] = v;
}

static u64 pop(struct machine *m)
{
	if (!m->n) {
		m->err = -ENOEXEC;
		return 0;
	}
	return m->stack[--m->n];
}

static u64 pick(struct machine *m, u64 below)
{
	if (below >= m->n) {
		m->err = -ENOEXEC;
		return 0;
	}
	return m->stack[m->n - 1 - below];
}

static u64 reg_value(struct machine *m, u64 reg)
{
	if (reg < CFI_REGS && m->regs->known >> reg & 1)
		return m->regs->value[reg];
	m->err = -EFAULT;
	return 0;
}

static void deref(struct machine *m, u32 size)
{
	u64 v = 0;

	if (!size || size > 8)
		m->err = -ENOEXEC;
	else if (!m->read(m->ctx, pop(m), &v))
		m->err = -EFAULT;
	push(m, size < 8 ? v & ((1ull << 8 * (size & 7)) - 1) : v);
}

static u64 shifted(u8 op, u64 a, u64 by)
{
	if (op == 0x26)
		return (s64)a >> (by < 64 ? by : 63);
	if (by > 63)
		return 0;
	return op == 0x24 ? a << by : a >> by;
}

static u64 binary(struct machine *m, u8 op, u64 a, u64 b)
{
	switch (op) {
	case 0x1a: return a & b;
	case 0x1b:
	case 0x1d:
		if (!b) {
			m->err = -ENOEXEC;
			return 0;
		}
		if (op == 0x1d)
			return a % b;
		return b == ~0ull ? -a : (u64)((s64)a / (s64)b);
	case 0x1c: return a - b;
	case 0x1e: return a * b;
	case 0x21: return a | b;
	case 0x22: return a + b;
	case 0x24:
	case 0x25:
	case 0x26: return shifted(op, a, b);
	case 0x27: return a ^ b;
	case 0x29: return a == b;
	case 0x2a: return (s64)a >= (s64)b;
	case 0x2b: return (s64)a > (s64)b;
	case 0x2c: return (s64)a <= (s64)b;
	case 0x2d: return (s64)a < (s64)b;
	case 0x2e: return a != b;
	}
	m->err = -ENOEXEC;
	return 0;
}

static void jump(struct machine *m, struct cursor *c, s64 by)
{
	if (by < c->base - c->at || by > c->end - c->at)
		m->err = -ENOEXEC;
	else
		c->at += by;
}

static void operation(struct machine *m, struct cursor *c, u8 op)
{
	u64 a, b;

	if (op >= 0x30 && op <= 0x4f) { /* lit0... */
		push(m, op - 0x30);
		return;
	}
	if (op >= 0x70 && op <= 0x8f) { /* breg0... */
		a = reg_value(m, op - 0x70);
		push(m, a + sleb(c));
		return;
	}
	switch (op) {
	case 0x03: /* addr */
	case 0x0e: /* const8u, const8s */
	case 0x0f: push(m, fixed(c, 8)); break;
	case 0x06: deref(m, 8); break;
	case 0x08: /* const1u ... const4s */ push(m, fixed(c, 1)); break;
	case 0x09: push(m, fixed_signed(c, 1)); break;
	case 0x0a: push(m, fixed(c, 2)); break;
	case 0x0b: push(m, fixed_signed(c, 2)); break;
	case 0x0c: push(m, fixed(c, 4)); break;
	case 0x0d: push(m, fixed_signed(c, 4)); break;
	case 0x10: /* constu, consts */ push(m, uleb(c)); break;
	case 0x11: push(m, sleb(c)); break;
	case 0x12: /* dup */ push(m, pick(m, 0)); break;
	case 0x13: /* drop */ pop(m); break;
	case 0x14: /* over */ push(m, pick(m, 1)); break;
	case 0x15: /* pick */ push(m, pick(m, fixed(c, 1))); break;
	case 0x16: /* swap */
		a = pop(m);
		b = pop(m);
		push(m, a);
		push(m, b);
		break;
	case 0x19: /* abs */
		a = pop(m);
		push(m, (s64)a < 0 ? -a : a);
		break;
	case 0x1f: /* neg */ push(m, -pop(m)); break;
	case 0x20: /* not */ push(m, ~pop(m)); break;
	case 0x23: /* plus_uconst */
		a = pop(m);
		push(m, a + uleb(c));
		break;
	case 0x28: /* bra */
		a = fixed_signed(c, 2);
		if (pop(m))
			jump(m, c, a);
		break;
	case 0x2f: /* skip */ jump(m, c, fixed_signed(c, 2)); break;
	case 0x92: /* bregx */
		a = reg_value(m, uleb(c));
		push(m, a + sleb(c));
		break;
	case 0x94: deref(m, fixed(c, 1)); break;
	case 0x96: /* nop */ break;
	default:
		b = pop(m);
		a = pop(m);
		push(m, binary(m, op, a, b));
	}
}

static int evaluate(struct machine *m, const struct cfi_rule *rule, const u64 *first, u64 *value)
{
	struct cursor c = { .at = rule->expr, .end = rule->expr + rule->len, .base = rule->expr };

	m->n = 0;
	m->err = 0;
	if (first)
		push(m, *first);
	for (u32 steps = 0; c.at < c.end && !m->err; steps++) {
		if (steps == STEPS)
			return -ENOEXEC;
		operation(m, &c, fixed(&c, 1));
		if (c.bad)
			return -ENOEXEC;
	}
	*value = pop(m);
	return m->err;
}

static int cfa_of(struct machine *m, const struct cfi_rule *rule, u64 *cfa)
{
	if (rule->how == CFI_VAL_EXPR)
		return evaluate(m, rule, NULL, cfa);
	if (rule->how != CFI_REGISTER)
		return -ENOEXEC;
	m->err = 0;
	*cfa = reg_value(m, rule->reg) + rule->value;
	return m->err;
}

static int caller_value(struct machine *m, const struct cfi_rule *rule, u32 reg, u64 cfa,
			u64 *value)
{
	u64 at = cfa + rule->value;
	int err = 0;

	m->err = 0;
	switch (rule->how) {
	case CFI_SAME: *value = reg_value(m, reg); return m->err;
	case CFI_UNDEFINED: return 1;
	case CFI_VAL_OFFSET: *value = at; return 0;
	case CFI_REGISTER: *value = reg_value(m, rule->reg); return m->err;
	case CFI_VAL_EXPR: return evaluate(m, rule, &cfa, value);
	case CFI_EXPR: err = evaluate(m, rule, &cfa, &at); break;
	case CFI_OFFSET: break;
	}
	if (err)
		return err;
	return m->read(m->ctx, at, value) ? 0 : -EFAULT;
}

int cfi_step(const struct cfi_machine *machine, const struct cfi_row *row, struct cfi_regs *regs,
	     cfi_read *read, void *ctx)
{
	struct machine m = { .regs = regs, .read = read, .ctx = ctx };
	struct cfi_regs next = {};
	u64 cfa;
	int err = cfa_of(&m, &row->cfa, &cfa);

	if (err)
		return err;
	err = caller_value(&m, &row->reg[row->ra], row->ra, cfa, &next.pc);
	if (err)
		return err;
	if (row->sealed)
		next.pc &= machine->code;
	for (u32 i = 0; i < CFI_REGS; i++)
		if (!caller_value(&m, &row->reg[i], i, cfa, &next.value[i]))
			next.known |= 1ull << i;
	if (row->reg[machine->sp].how == CFI_SAME) { /* as if said: a CFA is the caller's stack */
		next.value[machine->sp] = cfa;
		next.known |= 1ull << machine->sp;
	}
	*regs = next;
	return !next.pc;
}
