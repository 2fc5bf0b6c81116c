/*
 * Where an argument of a USDT probe is at the time of the probe: the assembler operands of its
 * note, as "-4@12(%rsp)", taken apart for whoever makes them into loads.
 *
 * Source: sourceware.org/systemtap/wiki/UserSpaceProbeImplementation; sys/sdt.h; AT&T syntax of GNU
 * as (x86-64), Arm's for A64; struct pt_regs and user_pt_regs of asm/ptrace.h.
 */
#ifndef OPERAND_H
#define OPERAND_H

#include <stddef.h>

#include "buf.h"

#define OPERAND_X86_IP 128 /* where x86-64's pt_regs has %rip */

struct operand {
	enum operand_kind {
		OPERAND_CONSTANT, /* value */
		OPERAND_REGISTER, /* base, shifted right by `shift` */
		OPERAND_MEMORY,   /* what is at base + index * scale + value */
	} kind;
	u8 size; /* bytes that count, whatever the register's name says: 1, 2, 4, 8 */
	bool is_signed;
	u8 shift;                                         /* in bits: 8 of %ah, else 0 */
	u8 scale;                                         /* 0: no index */
	enum { INDEX_64, INDEX_U32, INDEX_S32 } index_as; /* its low half only: arm64 */
	short base, index; /* offset in the pt_regs of a probe; -1: none */
	s64 value;
	const char *symbol; /* value is relative to it; in the text; NULL: none */
	size_t symbol_len;
};

/*
 * One operand, "SIZE@WHERE" or "WHERE". machine: EM_X86_64 or EM_AARCH64. False: *why says what it
 * is that is not understood, a fixed text.
 */
bool operand_parse(struct operand *o, u16 machine, const char *text, size_t len, const char **why);

/* As BCC has it, without the size: "ax", "-3", "*(sp + 8)", "*(ax + 0 + cx * 4)", "*(&NBuffers +
 * 0)". */
void operand_text(struct buf *b, const struct operand *o, u16 machine);

#endif
