/* insn: lengths, returns and jumps, compared with what objdump says of whole libraries. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "insn.h"

/* A line of objdump -dw: "  26c80:<tab>f3 0f 1e fa <spaces><tab>endbr64 ". */
struct line {
	u64 addr;
	u8 code[32];
	u32 length;
	const char *text;
};

static bool parse(char *line, struct line *l)
{
	char *p, *end;

	l->addr = strtoull(line, &end, 16);
	if (end == line || end[0] != ':' || end[1] != '\t')
		return false;
	for (p = end + 2, l->length = 0; *p && *p != '\t' && l->length < sizeof(l->code);) {
		l->code[l->length++] = strtoul(p, &end, 16);
		p = end + strspn(end, " ");
	}
	l->text = *p == '\t' ? p + 1 : "";
	return l->length;
}

/* Past the words before the mnemonic that say which prefixes there are; "" if there is no more. */
static const char *mnemonic(const char *text)
{
	static const char *const prefixes[] = { "bnd",      "notrack", "rep",  "repz",   "repnz",
						"data16",   "cs",      "ds",   "es",     "ss",
						"fs",       "gs",      "lock", "addr32", "{evex}",
						"xacquire", "xrelease" };
	size_t len = strcspn(text, " ");
	bool prefix = !strncmp(text, "rex", 3);

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		prefix |= len == strlen(prefixes[i]) && !strncmp(text, prefixes[i], len);
	return prefix ? mnemonic(text + len + strspn(text + len, " ")) : text;
}

static bool is_jump(const char *m)
{
	return *m == 'j' || !strncmp(m, "loop", 4) || !strncmp(m, "xbegin", 6);
}

static void compare(const struct line *l, u32 *wrong)
{
	const char *m = mnemonic(l->text), *operand = m + strcspn(m, " ");
	enum insn_kind kind = INSN_OTHER;
	struct insn insn;
	u64 target = 0;

	if (!strncmp(m, "ret", 3) || !strncmp(m, "lret", 4)) {
		kind = INSN_RETURN;
	} else if (strstr(m, "jmp") && operand[strspn(operand, " ")] == '*') {
		kind = INSN_JUMP_ANYWHERE;
	} else if (is_jump(m) && strncmp(m, "xbegin", 6)) {
		kind = INSN_JUMP;
		target = strtoull(operand + strspn(operand, " pnt,"), NULL, 16);
	}
	/* Data as code: prefixes of nothing; 66 e9, which Intel and AMD take for different jumps.
	 * fwait and what follows it are two instructions, and objdump's one. */
	if (!*m || !strncmp(m, "jmpw", 4) || l->code[0] == 0x9b)
		return;
	if (insn_decode(EM_X86_64, l->code, l->length, &insn) && insn.length == l->length &&
	    insn.kind == kind && (kind != INSN_JUMP || l->addr + insn.target == target) &&
	    !insn_decode(EM_X86_64, l->code, l->length - 1, &insn))
		return;
	if ((*wrong)++ < 20)
		print_error("%llx: %u bytes, %s: length %u kind %d\n", l->addr, l->length, l->text,
			    insn.length, insn.kind);
}

static u32 compare_file(const char *path)
{
	char command[256], text[1024];
	u32 n = 0, wrong = 0;
	struct line l;
	FILE *f;

	if (access(path, R_OK))
		return 0;
	snprintf(command, sizeof(command), "objdump -dw %s 2>/dev/null", path);
	f = popen(command, "r");
	assert_non_null(f);
	while (fgets(text, sizeof(text), f)) {
		text[strcspn(text, "\n")] = '\0';
		if (!parse(text, &l) || strstr(l.text, "(bad)") || strstr(l.text, ".byte"))
			continue;
		compare(&l, &wrong);
		n++;
	}
	pclose(f);
	assert_int_equal(wrong, 0);
	return n;
}

static void as_objdump(void **state)
{
	u32 n = 0;

	(void)state;
#ifndef __x86_64__
	skip();
#endif
	if (access("/usr/bin/objdump", X_OK))
		skip();
	n += compare_file("/lib/x86_64-linux-gnu/libc.so.6");
	n += compare_file("/usr/lib/x86_64-linux-gnu/libcrypto.so.3");
	assert_true(n > 300000);
}

/* What libraries of a distribution hold little of. */
static void rare(void **state)
{
	static const struct {
		const char *code;
		u8 length, kind;
	} x86[] = {
		{ "\xc3", 1, INSN_RETURN },
		{ "\xf3\xc3", 2, INSN_RETURN },
		{ "\xc2\x08", 0, 0 }, /* a byte is missing: the literal's NUL is not given */
		{ "\xc2\x08\x01", 3, INSN_RETURN },
		{ "\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, 0 }, /* movabs */
		{ "\x48\xa1\x01\x02\x03\x04\x05\x06\x07\x08", 10, 0 }, /* movabs from memory */
		{ "\x67\xa1\x01\x02\x03\x04", 6, 0 },                  /* with a short address */
		{ "\x66\xb8\x01\x02", 4, 0 },                          /* mov of 16 bits */
		{ "\x66\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 11, 0 }, /* REX.W wins */
		{ "\x48\x66\xb8\x01\x02", 5, 0 },                          /* REX does not count */
		{ "\xc8\x10\x01\x01", 4, 0 },                              /* enter */
		{ "\xf6\xc0\x01", 3, 0 },                                  /* test */
		{ "\xf6\xd0", 2, 0 },                                      /* not */
		{ "\x66\xf7\xc0\x01\x02", 5, 0 },                          /* test of 16 bits */
		{ "\xf7\x84\x24\x01\x02\x03\x04\x05\x06\x07\x08", 11, 0 }, /* with SIB */
		{ "\x8b\x04\x25\x01\x02\x03\x04", 7, 0 },                  /* no base */
		{ "\x8b\x44\x25\x01", 4, 0 },                              /* %rbp and an index */
		{ "\x8b\x05\x01\x02\x03\x04", 6, 0 },                      /* %rip */
		{ "\x41\x8f\x01", 3, 0 },                                  /* pop */
		{ "\x8f\xe8\x78\xc0\xc1\x04", 6, 0 },                      /* XOP vprotb, map 8 */
		{ "\x8f\xe9\x78\x80\xc1", 5, 0 },                          /* XOP vfrczps, map 9 */
		{ "\x8f\xea\x78\x10\xc1\x01\x02\x03\x04", 9, 0 },          /* XOP bextr, map 10 */
		{ "\x0f\x0f\xc1\x9e", 4, 0 },                              /* 3DNow! pfadd */
		{ "\x66\x0f\x78\xc1\x01\x02", 6, 0 },                      /* extrq */
		{ "\xf2\x0f\x78\xc1\x01\x02", 6, 0 },                      /* insertq */
		{ "\x0f\x78\xc1", 3, 0 },                                  /* vmread */
		{ "\xc5\xf8\x77", 3, 0 },                                  /* vzeroupper */
		{ "\xc5\xf9\x70\xc1\x1b", 5, 0 },                          /* vpshufd */
		{ "\xc4\xe3\x7d\x39\xc1\x01", 6, 0 },                      /* vextracti128 */
		{ "\xc4\xe2\x7d\x18\x05\x01\x02\x03\x04", 9, 0 },          /* vbroadcastss */
		{ "\x62\xf1\x7c\x48\x10\x40\x01", 7, 0 },                  /* vmovups zmm */
		{ "\x62\xf3\x7d\x48\x3b\xc1\x01", 7, 0 },                  /* vextracti32x8 */
		{ "\x62\xf5\x7c\x48\x58\xc1", 6, 0 },                      /* vaddph, map 5 */
		{ "\xf3\x0f\x1e\xfa", 4, 0 },                              /* endbr64 */
		{ "\xeb\xfe", 2, INSN_JUMP },
		{ "\x0f\x84\x01\x02\x03\x04", 6, INSN_JUMP },
		{ "\x3e\xff\xe0", 3, INSN_JUMP_ANYWHERE },
		{ "\xff\xd0", 2, 0 },                 /* a call comes back */
		{ "\xc7\xf8\x01\x02\x03\x04", 6, 0 }, /* xbegin */
		{ "\x06", 0, 0 },                     /* not in 64 bits */
		{ "\x62\xf4\x7c\x48\x10\x40", 0, 0 }, /* a map that is not known */
		{ "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", 0, 0 },
		{ "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(x86) / sizeof(*x86); i++) {
		struct insn insn;
		bool known =
			insn_decode(EM_X86_64, (const u8 *)x86[i].code, strlen(x86[i].code), &insn);

		if (known != !!x86[i].length ||
		    (known && (insn.length != x86[i].length || insn.kind != x86[i].kind)))
			fail_msg("case %zu: %d, length %u, kind %d", i, known, insn.length,
				 insn.kind);
	}
}

static void arm64(void **state)
{
	static const struct {
		u32 code;
		enum insn_kind kind;
		s64 target;
	} cases[] = {
		{ 0xd65f03c0, INSN_RETURN, 0 },        /* ret */
		{ 0xd65f0260, INSN_RETURN, 0 },        /* ret x19 */
		{ 0xd65f0bff, INSN_RETURN, 0 },        /* retaa */
		{ 0xd65f0fff, INSN_RETURN, 0 },        /* retab */
		{ 0xd61f0220, INSN_JUMP_ANYWHERE, 0 }, /* br x17 */
		{ 0xd71f0a30, INSN_JUMP_ANYWHERE, 0 }, /* braa x17, x16 */
		{ 0xd63f0220, INSN_OTHER, 0 },         /* blr x17 */
		{ 0x14000004, INSN_JUMP, 16 },         /* b */
		{ 0x17ffffff, INSN_JUMP, -4 },         { 0x94000004, INSN_OTHER, 0 }, /* bl */
		{ 0x54000081, INSN_JUMP, 16 },                                        /* b.ne */
		{ 0xb4ffffe0, INSN_JUMP, -4 },                                        /* cbz x0 */
		{ 0x37f80040, INSN_JUMP, 8 },  /* tbnz w0, #31 */
		{ 0xd503201f, INSN_OTHER, 0 }, /* nop */
		{ 0xa9bf7bfd, INSN_OTHER, 0 }, /* stp */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct insn insn;

		assert_true(insn_decode(EM_AARCH64, (const u8 *)&cases[i].code, 4, &insn));
		assert_int_equal(insn.length, 4);
		assert_int_equal(insn.kind, cases[i].kind);
		assert_int_equal(insn.target, cases[i].target);
		assert_false(insn_decode(EM_AARCH64, (const u8 *)&cases[i].code, 3, &insn));
	}
	assert_false(insn_known(EM_386));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rare),
		cmocka_unit_test(arm64),
		cmocka_unit_test(as_objdump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
