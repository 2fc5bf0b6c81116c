/*
 * How long a machine instruction is, and whether it returns or jumps: no more than is needed to
 * walk through a function. Nothing is executed; an instruction that is not known ends the walk.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and
 * appendix A; AMD64 Architecture Programmer's Manual, volume 3 (XOP, 3DNow!, SSE4A); Arm
 * Architecture Reference Manual for A-profile, C4.1.
 */
#ifndef INSN_H
#define INSN_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

#define INSN_MAX 15 /* bytes */

struct insn {
	u8 length;
	enum insn_kind {
		INSN_OTHER,
		INSN_RETURN,
		INSN_JUMP, /* to `target`, always or on a condition; calls are INSN_OTHER */
		INSN_JUMP_ANYWHERE, /* to where a register or memory says */
	} kind;
	s64 target; /* from the instruction's start */
};

bool insn_known(u16 machine); /* EM_X86_64, EM_AARCH64 */

/* False: no instruction that is known, or it does not end within `room` bytes. */
bool insn_decode(u16 machine, const u8 *code, size_t room, struct insn *insn);

#endif
