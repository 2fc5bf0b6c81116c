#include <elf.h>
#include <string.h>

#include "insn.h"

/*
 * x86-64: what follows an opcode, a letter an opcode, sixteen a row.
 *   .  nothing             m  ModRM                    x  no instruction
 *   b  8 bits              B  ModRM, 8 bits            p  a prefix
 *   w  16 bits             z  16 or 32 bits            Z  ModRM, 16 or 32 bits
 *   j  a jump of 8 bits    J  a jump of 32 bits        c  a call of 32 bits
 *   v  as z, or 64 bits    q  an address (64 bits)     e  24 bits (enter)
 *   f  ModRM, 8 bits if it is a test                   F  the same, 16 or 32 bits
 *   r  a return            R  a return, 16 bits        g  ModRM, group 5 (jumps)
 */
static const char one_byte[] = "mmmmbzxxmmmmbzxp" /* 0f: the next map */
			       "mmmmbzxxmmmmbzxx"
			       "mmmmbzpxmmmmbzpx"
			       "mmmmbzpxmmmmbzpx"
			       "pppppppppppppppp" /* REX */
			       "................"
			       "xxpmppppzZbB...." /* 62: EVEX */
			       "jjjjjjjjjjjjjjjj"
			       "BZxBmmmmmmmmmmmm" /* 8f: or XOP */
			       "..........x....."
			       "qqqq....bz......"
			       "bbbbbbbbvvvvvvvv"
			       "BBRrppBZe.Rr.bx." /* c4, c5: VEX */
			       "mmmmxxx.mmmmmmmm"
			       "jjjjbbbbcJxj...."
			       "p.pp..fF......mg";

static const char two_bytes[] = "mmmmx.....x.xm.B" /* 0f: 3DNow!, the opcode comes last */
				"mmmmmmmmmmmmmmmm"
				"bbbbxxxxmmmmmmmm" /* 20 to 23: ModRM is of registers only */
				"......x.pxpxxxxx" /* 38, 3a: the next maps */
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"BBBBmmm.mmxxmmmm"
				"JJJJJJJJJJJJJJJJ"
				"mmmmmmmmmmmmmmmm"
				"...mBmxx...mBmmm"
				"mmmmmmmmmmBmmmmm"
				"mmBmBBBm........"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm";

/* An instruction while it is taken apart. */
struct walk {
	const u8 *code;
	size_t room, at;
	bool word, address32, wide; /* 66, 67, REX.W */
	u8 repeat;                  /* f2, f3, 0 */
};

static bool take(struct walk *w, u8 *byte)
{
	if (w->at >= w->room)
		return false;
	*byte = w->code[w->at++];
	return true;
}

/* ModRM, SIB and displacement; `reg` is ModRM's middle field. */
static bool take_modrm(struct walk *w, u8 *modrm)
{
	u8 sib = 0, mod, rm;

	if (!take(w, modrm))
		return false;
	mod = *modrm >> 6;
	rm = *modrm & 7;
	if (mod == 3)
		return true;
	if (rm == 4 && !take(w, &sib))
		return false;
	if (mod == 1)
		w->at += 1;
	else if (mod == 2 || rm == 5 || (rm == 4 && (sib & 7) == 5))
		w->at += 4; /* mod 0: %rip and a displacement, or an index without base */
	return true;
}

static u8 word_or_long(const struct walk *w)
{
	return w->word && !w->wide ? 2 : 4;
}

static bool take_jump(struct walk *w, struct insn *insn, int size)
{
	s32 wide;

	if (size > (int)(w->room - w->at))
		return false;
	if (size == 4)
		memcpy(&wide, w->code + w->at, sizeof(wide));
	else
		wide = (signed char)w->code[w->at];
	w->at += size;
	insn->kind = INSN_JUMP;
	insn->target = (s64)w->at + wide;
	return true;
}

/* Goes over what the letter says. */
static bool take_rest(struct walk *w, char what, struct insn *insn)
{
	u8 modrm;

	if (strchr("mBZfFg", what) && !take_modrm(w, &modrm))
		return false;
	switch (what) {
	case '.':
	case 'm': return true;
	case 'b':
	case 'B': w->at += 1; return true;
	case 'w': w->at += 2; return true;
	case 'e': w->at += 3; return true;
	case 'z':
	case 'Z': w->at += word_or_long(w); return true;
	case 'v': w->at += w->wide ? 8 : word_or_long(w); return true;
	case 'q': w->at += w->address32 ? 4 : 8; return true;
	case 'f': w->at += (modrm >> 3 & 7) < 2 ? 1 : 0; return true;
	case 'F': w->at += (modrm >> 3 & 7) < 2 ? word_or_long(w) : 0; return true;
	case 'c': w->at += 4; return true;
	case 'j': return take_jump(w, insn, 1);
	case 'J': return take_jump(w, insn, 4);
	case 'R':
		w->at += 2;
		/* fallthrough */
	case 'r': insn->kind = INSN_RETURN; return true;
	case 'g':
		if ((modrm >> 3 & 7) == 4 || (modrm >> 3 & 7) == 5)
			insn->kind = INSN_JUMP_ANYWHERE;
		return true;
	}
	return false;
}

/* VEX, EVEX and XOP name their map by a number; they have ModRM, but for vzeroupper and vzeroall.
 */
static bool take_vector(struct walk *w, u8 map, struct insn *insn)
{
	u8 opcode, modrm;

	if (!take(w, &opcode))
		return false;
	if (map == 1 && opcode == 0x77)
		return true;
	switch (map) {
	case 1: return take_rest(w, two_bytes[opcode] == 'B' ? 'B' : 'm', insn);
	case 2:
	case 5:
	case 6:
	case 9: return take_modrm(w, &modrm);
	case 3:
	case 8: return take_rest(w, 'B', insn);
	case 10: return take_rest(w, 'Z', insn);
	}
	return false;
}

/* The prefixes of vector instructions; *vector: it was one. */
static bool take_vector_prefix(struct walk *w, u8 opcode, bool *vector, struct insn *insn)
{
	u8 first = w->at < w->room ? w->code[w->at] : 0, map;

	*vector = true;
	switch (opcode) {
	case 0xc5: w->at += 1; return take_vector(w, 1, insn);
	case 0xc4:
		w->at += 2;
		map = first & 0x1f;
		return map <= 3 && take_vector(w, map, insn);
	case 0x62:
		w->at += 3;
		map = first & 7;
		return take_vector(w, map, insn);
	case 0x8f:
		map = first & 0x1f;
		if (map < 8)
			break; /* pop */
		w->at += 2;
		return take_vector(w, map, insn);
	}
	*vector = false;
	return true;
}

static bool take_two_bytes(struct walk *w, struct insn *insn)
{
	u8 opcode, modrm;

	if (!take(w, &opcode))
		return false;
	if (opcode == 0x38)
		return take(w, &opcode) && take_modrm(w, &modrm);
	if (opcode == 0x3a)
		return take(w, &opcode) && take_rest(w, 'B', insn);
	if (opcode == 0x78 && (w->word || w->repeat == 0xf2)) {
		bool known = take_modrm(w, &modrm);

		w->at += 2; /* extrq, insertq of SSE4A: two bytes after ModRM */
		return known;
	}
	return take_rest(w, two_bytes[opcode], insn);
}

/* Prefixes in any order; REX counts only just before the opcode, which *opcode then is. */
static bool take_prefixes(struct walk *w, u8 *opcode)
{
	while (take(w, opcode)) {
		if (*opcode >> 4 == 4) {
			w->wide = *opcode & 8;
			continue;
		}
		if (!strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", *opcode) || !*opcode)
			return true;
		w->wide = false;
		w->word |= *opcode == 0x66;
		w->address32 |= *opcode == 0x67;
		if (*opcode >= 0xf2)
			w->repeat = *opcode;
	}
	return false;
}

static bool decode_x86(const u8 *code, size_t room, struct insn *insn)
{
	struct walk w = { .code = code, .room = room < INSN_MAX ? room : INSN_MAX };
	bool vector, known;
	u8 opcode;

	if (!take_prefixes(&w, &opcode))
		return false;
	known = take_vector_prefix(&w, opcode, &vector, insn);
	if (!vector)
		known = opcode == 0x0f ? take_two_bytes(&w, insn)
				       : take_rest(&w, one_byte[opcode], insn);
	insn->length = w.at;
	return known && w.at <= w.room;
}

static s64 sign_extend(u32 value, int bits)
{
	return (s64)((u64)value << (64 - bits)) >> (64 - bits);
}

static bool decode_arm64(const u8 *code, size_t room, struct insn *insn)
{
	u32 w;

	if (room < sizeof(w))
		return false;
	memcpy(&w, code, sizeof(w));
	insn->length = 4;
	if ((w & 0xfffffc1f) == 0xd65f0000 || (w & 0xfffffbff) == 0xd65f0bff) { /* ret, retaa */
		insn->kind = INSN_RETURN;
	} else if ((w & 0xfefff000) == 0xd61f0000) { /* br, braa */
		insn->kind = INSN_JUMP_ANYWHERE;
	} else if (w >> 26 == 0x05) { /* b */
		insn->kind = INSN_JUMP;
		insn->target = sign_extend(w & 0x3ffffff, 26) * 4;
	} else if (w >> 24 == 0x54 || (w & 0x7e000000) == 0x34000000) { /* b.cond, cbz, cbnz */
		insn->kind = INSN_JUMP;
		insn->target = sign_extend(w >> 5 & 0x7ffff, 19) * 4;
	} else if ((w & 0x7e000000) == 0x36000000) { /* tbz, tbnz */
		insn->kind = INSN_JUMP;
		insn->target = sign_extend(w >> 5 & 0x3fff, 14) * 4;
	}
	return true;
}

bool insn_known(u16 machine)
{
	return machine == EM_X86_64 || machine == EM_AARCH64;
}

bool insn_decode(u16 machine, const u8 *code, size_t room, struct insn *insn)
{
	*insn = (struct insn){};
	switch (machine) {
	case EM_X86_64: return decode_x86(code, room, insn);
	case EM_AARCH64: return decode_arm64(code, room, insn);
	}
	return false;
}
