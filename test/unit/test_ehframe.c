/* ehframe: every row of real files as readelf has it; entries made here; damage. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ehframe.h"

static const char *const registers[] = { "rax", "rdx", "rcx", "rbx", "rsi", "rdi",
					 "rbp", "rsp", "r8",  "r9",  "r10", "r11",
					 "r12", "r13", "r14", "r15", "ra" };

static int number_of(const char *name, size_t len)
{
	for (int i = 0; i < 17; i++)
		if (strlen(registers[i]) == len && !strncmp(registers[i], name, len))
			return i;
	return -1;
}

/* A cell of readelf's table. It has "u" for what nothing is said of, too. */
static void assert_cell(const struct cfi_rule *rule, const char *cell)
{
	if (cell[0] == 'u')
		assert_true(rule->how == CFI_UNDEFINED || rule->how == CFI_SAME);
	else if (cell[0] == 's' && !cell[1])
		assert_int_equal(rule->how, CFI_SAME);
	else if (cell[0] == 'c' && (cell[1] == '-' || cell[1] == '+')) {
		assert_int_equal(rule->how, CFI_OFFSET);
		assert_int_equal(rule->value, atoi(cell + 1));
	} else if (!strcmp(cell, "exp"))
		assert_int_equal(rule->how, CFI_EXPR);
	else if (!strcmp(cell, "vexp"))
		assert_int_equal(rule->how, CFI_VAL_EXPR);
	else if (cell[0] == 'v') {
		assert_int_equal(rule->how, CFI_VAL_OFFSET);
		assert_int_equal(rule->value, atoi(cell + 1));
	} else {
		assert_int_equal(rule->how, CFI_REGISTER);
		assert_int_equal(rule->reg, number_of(cell, strlen(cell)));
	}
}

static void assert_cfa(const struct cfi_row *row, const char *cell)
{
	size_t len = strcspn(cell, "+-");

	if (!strcmp(cell, "exp")) {
		assert_int_equal(row->cfa.how, CFI_VAL_EXPR);
		return;
	}
	assert_int_equal(row->cfa.how, CFI_REGISTER);
	assert_int_equal(row->cfa.reg, number_of(cell, len));
	assert_int_equal(row->cfa.value, atoi(cell + len));
}

static void load(const char *path, struct ehframe *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_file f;

	assert_true(fd >= 0);
	assert_int_equal(elf_open(&f, fd), 0);
	assert_int_equal(elf_read_sections(&f), 0);
	assert_int_equal(elf_read_segments(&f), 0);
	assert_int_equal(ehframe_load(e, &f), 0);
	elf_close(&f);
	close(fd);
}

/* The rows of FDEs; how many. */
static long compare(const char *path)
{
	int column[20], columns = 0;
	char command[512], line[1024];
	struct ehframe e;
	bool fde = false;
	long rows = 0;
	FILE *p;

	load(path, &e);
	snprintf(command, sizeof(command), "readelf --debug-dump=frames-interp %s 2>/dev/null",
		 path);
	p = popen(command, "r");
	assert_non_null(p);
	while (fgets(line, sizeof(line), p)) {
		char *words[24], *save = NULL;
		struct cfi_row row;
		int n = 0;

		if (strstr(line, ".debug_frame section"))
			break;
		if (strstr(line, " FDE ") || strstr(line, " CIE ")) {
			fde = strstr(line, " FDE ");
			continue;
		}
		for (char *w = strtok_r(line, " \n", &save); w && n < 24;
		     w = strtok_r(NULL, " \n", &save))
			words[n++] = w;
		if (n >= 2 && !strcmp(words[0], "LOC")) {
			columns = n - 2;
			for (int i = 0; i < columns; i++)
				column[i] = number_of(words[i + 2], strlen(words[i + 2]));
			continue;
		}
		if (!fde || n != columns + 2 || strlen(words[0]) != 16)
			continue;
		assert_int_equal(ehframe_find(&e, strtoull(words[0], NULL, 16), &row), 0);
		assert_cfa(&row, words[1]);
		for (int i = 0; i < columns; i++)
			if (column[i] >= 0)
				assert_cell(&row.reg[column[i]], words[i + 2]);
		rows++;
	}
	pclose(p);
	ehframe_free(&e);
	return rows;
}

static void test_as_readelf(void **state)
{
	(void)state;
	if (system("readelf --version >/dev/null 2>&1"))
		skip();
#ifndef __x86_64__
	skip(); /* registers have other names */
#endif
	assert_true(compare("/usr/bin/readelf") > 1000);
	if (!access("/bin/busybox", R_OK)) /* static: without .eh_frame_hdr */
		assert_true(compare("/bin/busybox") > 1000);
	assert_true(compare("/lib/x86_64-linux-gnu/libc.so.6") > 10000);
}

/* A CIE (code 1, data -8, CFA rsp+8, return address at CFA-8) and an FDE of 100 bytes at 0. */
struct image {
	s32 hdr[5];
	u8 frames[64];
	struct ehframe e;
};

static void make(struct image *m, const u8 *program, u32 len)
{
	static const u8 cie[] = { 16,  0, 0, 0,    0,  0, 0, 0,    1, 'z',
				  'R', 0, 1, 0x78, 16, 1, 3, 0x0c, 7, 8 };
	static const u8 fde[] = { 0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0 };

	memset(m, 0, sizeof(*m));
	memcpy(m->frames, cie, sizeof(cie));
	memcpy(m->frames + 20, fde, sizeof(fde));
	m->frames[20] = sizeof(fde) - 4 + len;
	memcpy(m->frames + 20 + sizeof(fde), program, len);
	m->hdr[4] = 20;
	m->e = (struct ehframe){ .machine = cfi_machine(EM_X86_64),
				 .hdr = (u8 *)m->hdr,
				 .frames = m->frames,
				 .size = 20 + sizeof(fde) + len,
				 .count = 1 };
}

static bool read_words(void *ctx, u64 addr, u64 *value)
{
	if (addr < 0x1000 || addr > 0x1038)
		return false;
	*value = ((u64 *)ctx)[(addr - 0x1000) / 8];
	return true;
}

static int step(struct image *m, u64 at, struct cfi_regs *regs)
{
	u64 stack[8] = { 10, 11, 12, 13, 14, 15, 16, 17 };
	struct cfi_row row;
	int err = ehframe_find(&m->e, at, &row);

	*regs = (struct cfi_regs){ .known = 0x1ffff, .pc = at };
	regs->value[7] = 0x1000;
	regs->value[6] = 0x1010;
	if (!row.reg[16].how)
		row.reg[16] = (struct cfi_rule){ .how = CFI_OFFSET, .value = -8 };
	return err ?: cfi_step(m->e.machine, &row, regs, read_words, stack);
}

static void test_rules(void **state)
{
	/* +4: CFA rsp+16, rbp at CFA-16; +4: CFA rbp+16; +4: rbp as it was, CFA *(rsp+8)+0 */
	static const u8 program[] = { 0x44, 0x0e, 16,   0x86, 2,    0x44, 0x0d,       6,
				      0x44, 0xc6, 0x0f, 3,    0x77, 40,   0x23 - 0x0d };
	struct cfi_regs regs;
	struct image m;

	(void)state;
	make(&m, program, sizeof(program));
	assert_int_equal(step(&m, 0, &regs), 0);
	assert_int_equal(regs.pc, 10);
	assert_int_equal(regs.value[7], 0x1008);
	assert_int_equal(regs.value[6], 0x1010);
	assert_int_equal(step(&m, 4, &regs), 0);
	assert_int_equal(regs.pc, 11);
	assert_int_equal(regs.value[6], 10);
	assert_int_equal(regs.value[7], 0x1010);
	assert_int_equal(step(&m, 8, &regs), 0);
	assert_int_equal(regs.pc, 13);
	assert_int_equal(regs.value[6], 12);
	assert_int_equal(regs.value[7], 0x1020);
	assert_int_equal(step(&m, 12, &regs), -ENOEXEC); /* swap of one value */
	assert_int_equal(step(&m, 100, &regs), -ENOENT);
}

static void test_damage(void **state)
{
	static const u8 program[] = { 0x44, 0x0e, 16,   0x86, 2, 0x0a, 0x44, 0x0d,
				      6,    0x0b, 0x44, 0x0f, 2, 0x77, 8 };
	struct image whole, m;
	struct cfi_regs regs;

	(void)state;
	make(&whole, program, sizeof(program));
	assert_int_equal(step(&whole, 12, &regs), 0);
	for (u64 size = 0; size < whole.e.size; size++) {
		make(&m, program, sizeof(program));
		m.e.size = size;
		assert_int_not_equal(step(&m, 12, &regs), 0);
	}
	for (u64 at = 0; at < whole.e.size; at++)
		for (int bit = 0; bit < 8; bit++) {
			make(&m, program, sizeof(program));
			m.frames[at] ^= 1 << bit;
			step(&m, 12, &regs);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_readelf),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
