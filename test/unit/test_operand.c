/* operand: every form that sys/sdt.h's notes have, on both machines, and what is refused. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/user.h>
#include <cmocka.h>

#include "operand.h"

/* The text as it is given has nothing behind it, for ASan. */
static bool parse(struct operand *o, u16 machine, const char *text, const char **why)
{
	char *copy = malloc(strlen(text) ?: 1);
	bool known;

	memcpy(copy, text, strlen(text));
	known = operand_parse(o, machine, copy, strlen(text), why);
	if (o->symbol) { /* into the literal, which stays */
		assert_true(o->symbol >= copy && o->symbol + o->symbol_len <= copy + strlen(text));
		o->symbol = text + (o->symbol - copy);
	}
	free(copy);
	return known;
}

#define AT(r) offsetof(struct user_regs_struct, r)

static void expect(u16 machine, const char *text, struct operand want, const char *shown)
{
	struct buf b = {};
	struct operand o;
	const char *why;

	if (!parse(&o, machine, text, &why))
		fail_msg("%s: %s", text, why);
	if (o.kind != want.kind || o.size != want.size || o.is_signed != want.is_signed ||
	    o.shift != want.shift || o.scale != want.scale || o.index_as != want.index_as ||
	    o.base != want.base || (want.scale && o.index != want.index) || o.value != want.value ||
	    !o.symbol != !want.symbol)
		fail_msg("%s: kind %d size %u signed %d shift %u scale %u as %d base %d index %d "
			 "value "
			 "%lld",
			 text, o.kind, o.size, o.is_signed, o.shift, o.scale, o.index_as, o.base,
			 o.index, o.value);
	if (want.symbol)
		assert_memory_equal(o.symbol, want.symbol, strlen(want.symbol));
	operand_text(&b, &o, machine);
	buf_chr(&b, '\0');
	assert_string_equal(b.data, shown);
	buf_free(&b);
}

static void x86(const char *text, struct operand want, const char *shown)
{
	expect(EM_X86_64, text, want, shown);
}

#define REG(n, s, at)                                                                              \
	{                                                                                          \
		OPERAND_REGISTER, n, s, .base = at                                                 \
	}
#define CONST(n, s, v)                                                                             \
	{                                                                                          \
		OPERAND_CONSTANT, n, s, .base = -1, .value = v                                     \
	}
#define MEM(n, s, at, v)                                                                           \
	{                                                                                          \
		OPERAND_MEMORY, n, s, .base = at, .value = v                                       \
	}

static void x86_registers(void **state)
{
	(void)state;
#ifndef __x86_64__
	skip();
#else
	x86("8@%rax", (struct operand)REG(8, 0, AT(rax)), "ax");
	x86("-4@%ebx", (struct operand)REG(4, 1, AT(rbx)), "bx");
	x86("2@%cx", (struct operand)REG(2, 0, AT(rcx)), "cx");
	x86("-1@%dl", (struct operand)REG(1, 1, AT(rdx)), "dx");
	x86("1@%ah", (struct operand){ OPERAND_REGISTER, 1, .shift = 8, .base = AT(rax) }, "ax");
	x86("1@%sil", (struct operand)REG(1, 0, AT(rsi)), "si");
	x86("2@%di", (struct operand)REG(2, 0, AT(rdi)), "di");
	x86("8@%rbp", (struct operand)REG(8, 0, AT(rbp)), "bp");
	x86("1@%spl", (struct operand)REG(1, 0, AT(rsp)), "sp");
	x86("8@%r8", (struct operand)REG(8, 0, AT(r8)), "r8");
	x86("-4@%r9d", (struct operand)REG(4, 1, AT(r9)), "r9");
	x86("2@%r10w", (struct operand)REG(2, 0, AT(r10)), "r10");
	x86("1@%r11b", (struct operand)REG(1, 0, AT(r11)), "r11");
	x86("8@%r12", (struct operand)REG(8, 0, AT(r12)), "r12");
	x86("8@%r13", (struct operand)REG(8, 0, AT(r13)), "r13");
	x86("8@%r14", (struct operand)REG(8, 0, AT(r14)), "r14");
	x86("8@%r15", (struct operand)REG(8, 0, AT(r15)), "r15");
	x86("8@%rip", (struct operand)REG(8, 0, AT(rip)), "ip");
	x86("%rdi", (struct operand)REG(8, 0, AT(rdi)), "di");
#endif
}

static void x86_constants_and_memory(void **state)
{
	(void)state;
#ifndef __x86_64__
	skip();
#else
	x86("4@$5", (struct operand)CONST(4, 0, 5), "5");
	x86("-4@$-3", (struct operand)CONST(4, 1, -3), "-3");
	x86("8@$0x10", (struct operand)CONST(8, 0, 16), "16");
	x86("8@$18446744073709551615", (struct operand)CONST(8, 0, -1), "-1");
	x86("8@(%rax)", (struct operand)MEM(8, 0, AT(rax), 0), "*(ax + 0)");
	x86("-4@12(%rsp)", (struct operand)MEM(4, 1, AT(rsp), 12), "*(sp + 12)");
	x86("-8@-24(%rbp)", (struct operand)MEM(8, 1, AT(rbp), -24), "*(bp - 24)");
	x86("2@-0x8(%r12)", (struct operand)MEM(2, 0, AT(r12), -8), "*(r12 - 8)");
	x86("4@(%rax,%rcx,8)",
	    (struct operand){ OPERAND_MEMORY, 4, .base = AT(rax), .index = AT(rcx), .scale = 8 },
	    "*(ax + 0 + cx * 8)");
	x86("1@3(%rdx,%r8)",
	    (struct operand){ OPERAND_MEMORY, 1, .base = AT(rdx), .index = AT(r8), .scale = 1,
			      .value = 3 },
	    "*(dx + 3 + r8)");
	x86("4@16(,%rax,4)",
	    (struct operand){ OPERAND_MEMORY, 4, .base = -1, .index = AT(rax), .scale = 4,
			      .value = 16 },
	    "*(0 + 16 + ax * 4)");
	x86("4@6295616", (struct operand)MEM(4, 0, -1, 6295616), "*(0 + 6295616)");
	x86("-4@NBuffers(%rip)",
	    (struct operand){ OPERAND_MEMORY, 4, 1, .base = AT(rip), .symbol = "NBuffers" },
	    "*(&NBuffers + 0)");
	x86("-4@40+CheckpointStats(%rip)",
	    (struct operand){ OPERAND_MEMORY, 4, 1, .base = AT(rip), .value = 40,
			      .symbol = "CheckpointStats" },
	    "*(&CheckpointStats + 40)");
	x86("8@table+8(,%rdx,8)",
	    (struct operand){ OPERAND_MEMORY, 8, .base = -1, .index = AT(rdx), .scale = 8,
			      .value = 8, .symbol = "table" },
	    "*(&table + 8 + dx * 8)");
#endif
}

static void arm64(void **state)
{
	(void)state;
	expect(EM_AARCH64, "8@x0", (struct operand)REG(8, 0, 0), "x0");
	expect(EM_AARCH64, "-4@w19", (struct operand)REG(4, 1, 19 * 8), "x19");
	expect(EM_AARCH64, "-4@x30", (struct operand)REG(4, 1, 240), "x30");
	expect(EM_AARCH64, "8@sp", (struct operand)REG(8, 0, 248), "sp");
	expect(EM_AARCH64, "4@5", (struct operand)CONST(4, 0, 5), "5");
	expect(EM_AARCH64, "-4@-1", (struct operand)CONST(4, 1, -1), "-1");
	expect(EM_AARCH64, "8@xzr", (struct operand)CONST(8, 0, 0), "0");
	expect(EM_AARCH64, "8@[x1]", (struct operand)MEM(8, 0, 8, 0), "*(x1 + 0)");
	expect(EM_AARCH64, "4@[sp, 12]", (struct operand)MEM(4, 0, 248, 12), "*(sp + 12)");
	expect(EM_AARCH64, "-4@[sp,#60]", (struct operand)MEM(4, 1, 248, 60), "*(sp + 60)");
	expect(EM_AARCH64, "8@[x29, -24]", (struct operand)MEM(8, 0, 232, -24), "*(x29 - 24)");
	expect(EM_AARCH64, "8@[x0, x1]",
	       (struct operand){ OPERAND_MEMORY, 8, .base = 0, .index = 8, .scale = 1 },
	       "*(x0 + 0 + x1)");
	expect(EM_AARCH64, "8@[x0, x1, lsl 3]",
	       (struct operand){ OPERAND_MEMORY, 8, .base = 0, .index = 8, .scale = 8 },
	       "*(x0 + 0 + x1 * 8)");
	expect(EM_AARCH64, "4@[x0, w2, sxtw #2]",
	       (struct operand){ OPERAND_MEMORY, 4, .base = 0, .index = 16, .scale = 4,
				 .index_as = INDEX_S32 },
	       "*(x0 + 0 + x2 * 4)");
	expect(EM_AARCH64, "1@[x0, w2, uxtw]",
	       (struct operand){ OPERAND_MEMORY, 1, .base = 0, .index = 16, .scale = 1,
				 .index_as = INDEX_U32 },
	       "*(x0 + 0 + x2)");
}

static void refused(void **state)
{
	static const struct {
		u16 machine;
		const char *text, *why;
	} cases[] = {
		{ EM_X86_64, "", "empty" },
		{ EM_X86_64, "8@", "no operand" },
		{ EM_X86_64, "3@%rax", "1, 2, 4 or 8" },
		{ EM_X86_64, "16@%rax", "1, 2, 4 or 8" },
		{ EM_X86_64, "0@%rax", "1, 2, 4 or 8" },
		{ EM_X86_64, "8f@%xmm0", "floating" },
		{ EM_X86_64, "-4f@8(%rsp)", "floating" },
		{ EM_X86_64, "8@%xmm0", "vector" },
		{ EM_X86_64, "8@%fs:-8", "vector or segment" },
		{ EM_X86_64, "8@%st(0)", "vector" },
		{ EM_X86_64, "8@%", "vector" },
		{ EM_X86_64, "8@%r16", "vector" },
		{ EM_X86_64, "8@$main", "constant" },
		{ EM_X86_64, "8@$99999999999999999999", "constant" },
		{ EM_X86_64, "8@16(%rip)", "next instruction" },
		{ EM_X86_64, "8@(%rax", "parenthesis" },
		{ EM_X86_64, "8@(%rax,%rbx,3)", "scale" },
		{ EM_X86_64, "8@(%rax,%rbx,16)", "scale" },
		{ EM_X86_64, "8@a+b(%rip)", "no operand" },
		{ EM_X86_64, "8@%rax!", "follows" },
		{ EM_X86_64, "8@(%rax)(%rbx)", "follows" },
		{ EM_X86_64, "8@9223372036854775807+9223372036854775807(%rax)", "too large" },
		{ EM_AARCH64, "8@d0", "vector" },
		{ EM_AARCH64, "8@x31", "vector" },
		{ EM_AARCH64, "8@[x0", "bracket" },
		{ EM_AARCH64, "8@[x0, #:lo12:name]", "linker" },
		{ EM_AARCH64, "8@[x0, x1, ror 3]", "extended" },
		{ EM_AARCH64, "8@[x0, x1, lsl 9]", "too far" },
		{ EM_AARCH64, "8@[xzr]", "base" },
		{ EM_PPC64, "8@3", "this machine" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *why = "";
		struct operand o;

		if (parse(&o, cases[i].machine, cases[i].text, &why) || !strstr(why, cases[i].why))
			fail_msg("'%s': %s", cases[i].text, why);
	}
}

/* Any byte in any place. */
static void damaged(void **state)
{
	static const char *const texts[] = { "-4@40+Stats(%rip,%rcx,4)", "4@[sp, w2, sxtw 2]",
					     "8@$-3" };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t at = 0; at < strlen(texts[i]); at++)
			for (int byte = 0; byte < 256; byte++) {
				char *copy = strdup(texts[i]);
				const char *why = NULL;
				struct operand o;

				copy[at] = byte;
				if (operand_parse(&o, i == 1 ? EM_AARCH64 : EM_X86_64, copy,
						  strlen(texts[i]), &why))
					assert_true(o.size && o.size <= 8 && o.base >= -1 &&
						    o.base <= 248);
				else
					assert_non_null(why);
				free(copy);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x86_registers), cmocka_unit_test(x86_constants_and_memory),
		cmocka_unit_test(arm64),         cmocka_unit_test(refused),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
