#include <errno.h>
#include <stdlib.h>

#include "expr/internal.h"
#include "util.h"

enum { NOT_PLACED = -1, NOT_PLACED_BUT_USED = -2 };

void code_free(struct code *c)
{
	free(c->insn);
	free(c->jump);
	free(c->label);
	*c = (struct code){};
}

static void emit_to(struct code *c, struct bpf_insn insn, int jump)
{
	if (c->dead)
		return;
	if (c->n == CODE_MAX) {
		c->full = true;
		return;
	}
	if (c->n == c->room) {
		c->room = c->room ? c->room * 2 : 128;
		c->insn = xrealloc(c->insn, c->room * sizeof(*c->insn));
		c->jump = xrealloc(c->jump, c->room * sizeof(*c->jump));
	}
	c->insn[c->n] = insn;
	c->jump[c->n++] = jump;
}

void emit(struct code *c, struct bpf_insn insn)
{
	emit_to(c, insn, 0);
	if (insn.code == (BPF_JMP | BPF_EXIT))
		c->dead = true;
}

int label_new(struct code *c)
{
	if (c->nlabels % 64 == 0)
		c->label = xrealloc(c->label, (c->nlabels + 64) * sizeof(*c->label));
	c->label[c->nlabels] = NOT_PLACED;
	return c->nlabels++;
}

static bool label_at(const struct code *c, int at)
{
	for (int i = 0; i < c->nlabels; i++)
		if (c->label[i] == at)
			return true;
	return false;
}

/* Jumps are forward: a label that none goes to so far is none. One to the next instruction is taken
 * back. */
void label_here(struct code *c, int label)
{
	if (c->label[label] != NOT_PLACED_BUT_USED)
		return;
	c->dead = false;
	if (c->n && c->jump[c->n - 1] == label + 1 &&
	    c->insn[c->n - 1].code == (BPF_JMP | BPF_JA) && !label_at(c, c->n))
		c->n--;
	c->label[label] = c->n;
}

static void emit_jump(struct code *c, struct bpf_insn insn, int label)
{
	if (c->dead)
		return;
	if (c->label[label] == NOT_PLACED)
		c->label[label] = NOT_PLACED_BUT_USED;
	emit_to(c, insn, label + 1);
}

void jump(struct code *c, int label)
{
	emit_jump(c, (struct bpf_insn){ .code = BPF_JMP | BPF_JA }, label);
	c->dead = true;
}

static u8 jump_class(bool wide)
{
	return wide ? BPF_JMP : BPF_JMP32;
}

void jump_imm(struct code *c, int op, bool wide, int dst, s32 imm, int label)
{
	emit_jump(c,
		  (struct bpf_insn){
			  .code = jump_class(wide) | op | BPF_K, .dst_reg = dst, .imm = imm },
		  label);
}

void jump_reg(struct code *c, int op, bool wide, int dst, int src, int label)
{
	emit_jump(c,
		  (struct bpf_insn){
			  .code = jump_class(wide) | op | BPF_X, .dst_reg = dst, .src_reg = src },
		  label);
}

/* Turns labels into distances. */
int code_finish(struct code *c)
{
	if (c->full)
		return -E2BIG;
	for (u32 i = 0; i < c->n; i++)
		if (c->jump[i])
			c->insn[i].off = c->label[c->jump[i] - 1] - (int)i - 1;
	return 0;
}

static u8 alu_class(bool wide)
{
	return wide ? BPF_ALU64 : BPF_ALU;
}

void alu_imm(struct code *c, int op, bool wide, int dst, s32 imm)
{
	emit(c,
	     (struct bpf_insn){ .code = alu_class(wide) | op | BPF_K, .dst_reg = dst, .imm = imm });
}

void alu_reg(struct code *c, int op, bool wide, int dst, int src)
{
	emit(c, (struct bpf_insn){
			.code = alu_class(wide) | op | BPF_X, .dst_reg = dst, .src_reg = src });
}

void mov_reg(struct code *c, int dst, int src)
{
	alu_reg(c, BPF_MOV, true, dst, src);
}

static void load_two(struct code *c, int dst, int kind, u64 v)
{
	emit(c, (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
				   .dst_reg = dst,
				   .src_reg = kind,
				   .imm = (u32)v });
	emit(c, (struct bpf_insn){ .imm = v >> 32 });
}

void load_const(struct code *c, int dst, u64 v)
{
	if ((s64)v == (s32)v)
		alu_imm(c, BPF_MOV, true, dst, v);
	else if (v <= 0xffffffff)
		alu_imm(c, BPF_MOV, false, dst, v);
	else
		load_two(c, dst, 0, v);
}

void load_map(struct code *c, int dst, int map)
{
	load_two(c, dst, BPF_PSEUDO_MAP_FD, map);
}

static u8 width(u32 size)
{
	return size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;
}

void load_mem(struct code *c, u32 size, int dst, int src, int offset)
{
	emit(c, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | width(size),
				   .dst_reg = dst,
				   .src_reg = src,
				   .off = offset });
}

void store_reg(struct code *c, u32 size, int dst, int offset, int src)
{
	emit(c, (struct bpf_insn){ .code = BPF_STX | BPF_MEM | width(size),
				   .dst_reg = dst,
				   .src_reg = src,
				   .off = offset });
}

void store_imm(struct code *c, u32 size, int dst, int offset, s32 imm)
{
	emit(c, (struct bpf_insn){ .code = BPF_ST | BPF_MEM | width(size),
				   .dst_reg = dst,
				   .off = offset,
				   .imm = imm });
}

void call(struct code *c, int helper)
{
	emit(c, (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = helper });
}
