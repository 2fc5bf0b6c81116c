/* usdt: notes of a file made here, whole and damaged in every byte. */
#include <elf.h>
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

#include "usdt.h"

#define NOTES    0x100
#define NAMES    0x800
#define SECTIONS 0x900
#define SIZE     0xb00

struct image {
	u8 data[SIZE];
	bool wide;
	u32 at; /* where the next note goes */
};

static void put(struct image *m, u32 at, const void *from, size_t size)
{
	memcpy(m->data + at, from, size);
}

static u32 put_address(struct image *m, u32 at, u64 v)
{
	put(m, at, &v, m->wide ? 8 : 4); /* little endian, as all that this is tested on */
	return at + (m->wide ? 8 : 4);
}

static void add(struct image *m, u64 address, u64 base, u64 semaphore, const char *provider,
		const char *name, const char *args)
{
	Elf64_Nhdr n = { 8, 0, 3 };
	u32 desc = m->at + sizeof(n) + 8, at = desc;

	at = put_address(m, at, address);
	at = put_address(m, at, base);
	at = put_address(m, at, semaphore);
	for (int i = 0; i < 3; i++) {
		const char *s = i == 0 ? provider : i == 1 ? name : args;

		put(m, at, s, strlen(s) + 1);
		at += strlen(s) + 1;
	}
	n.n_descsz = at - desc;
	put(m, m->at, &n, sizeof(n));
	put(m, m->at + sizeof(n), "stapsdt", 8);
	m->at = (at + 3) / 4 * 4;
}

static void section(struct image *m, int i, u32 name, u32 type, u64 addr, u64 offset, u64 size)
{
	Elf64_Shdr w = { name, type, 0, addr, offset, size };
	Elf32_Shdr n = { name, type, 0, addr, offset, size };

	put(m, SECTIONS + i * (m->wide ? sizeof(w) : sizeof(n)), m->wide ? (void *)&w : (void *)&n,
	    m->wide ? sizeof(w) : sizeof(n));
}

/* `base`: where .stapsdt.base is, 0 for none. */
static void finish(struct image *m, u64 base)
{
	static const char names[] = "\0.note.stapsdt\0.stapsdt.base\0.shstrtab";
	Elf64_Ehdr w = { .e_shoff = SECTIONS,
			 .e_shentsize = sizeof(Elf64_Shdr),
			 .e_shnum = 4,
			 .e_shstrndx = 3 };
	Elf32_Ehdr n = { .e_shoff = SECTIONS,
			 .e_shentsize = sizeof(Elf32_Shdr),
			 .e_shnum = 4,
			 .e_shstrndx = 3 };
	u8 *ident = m->wide ? w.e_ident : n.e_ident;

	memcpy(ident, ELFMAG, SELFMAG);
	ident[EI_CLASS] = m->wide ? ELFCLASS64 : ELFCLASS32;
	ident[EI_DATA] = ELFDATA2LSB;
	put(m, 0, m->wide ? (void *)&w : (void *)&n, m->wide ? sizeof(w) : sizeof(n));
	put(m, NAMES, names, sizeof(names));
	section(m, 1, 1, SHT_NOTE, 0, NOTES, m->at - NOTES);
	section(m, 2, base ? 15 : 0, SHT_PROGBITS, base, 0, 1);
	section(m, 3, 29, SHT_STRTAB, 0, NAMES, sizeof(names));
}

static void make(struct image *m, bool wide, u64 base)
{
	*m = (struct image){ .wide = wide, .at = NOTES };
	add(m, 0x1200, 0x5000, 0, "app", "stop", "");
	add(m, 0x1100, 0x5000, 0x6002, "app", "start", "8@%rdi -4@12(%rsp)");
	add(m, 0x1000, 0x5000, 0x6000, "app", "start", "-1@$-3");
	add(m, 0x1300, 0x5000, 0, "aa", "zz", "4@[sp, 60] 8@x0");
	finish(m, base);
}

static void reads(void **state)
{
	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		struct image m;
		struct usdt u;

		make(&m, wide, 0x5000);
		assert_int_equal(usdt_load_mem(&u, m.data, SIZE), 0);
		assert_int_equal(u.n, 4);
		assert_string_equal(u.sites[0].provider, "aa");
		assert_string_equal(u.sites[1].name, "start");
		assert_string_equal(u.sites[1].args, "-1@$-3");
		assert_true(u.sites[1].address == 0x1000 && u.sites[1].semaphore == 0x6000);
		assert_true(u.sites[2].address == 0x1100 && u.sites[2].semaphore == 0x6002);
		assert_true(u.sites[3].address == 0x1200 && !u.sites[3].semaphore);
		assert_int_equal(usdt_same(&u, 0), 1);
		assert_int_equal(usdt_same(&u, 1), 2);
		assert_int_equal(usdt_same(&u, 3), 1);
		usdt_free(&u);
	}
}

/* Prelinked: the base is elsewhere than when the notes were written. Without one, nothing moved. */
static void moves(void **state)
{
	struct image m;
	struct usdt u;

	(void)state;
	make(&m, true, 0x15000);
	assert_int_equal(usdt_load_mem(&u, m.data, SIZE), 0);
	assert_true(u.sites[1].address == 0x11000 && u.sites[1].semaphore == 0x16000);
	assert_true(!u.sites[3].semaphore);
	usdt_free(&u);
	make(&m, true, 0);
	assert_int_equal(usdt_load_mem(&u, m.data, SIZE), 0);
	assert_true(u.sites[1].address == 0x1000);
	usdt_free(&u);
}

static void expect_args(const char *args, int n, const char *last)
{
	const char *arg = "";
	size_t len = 0;
	int found = 0;

	while (usdt_arg(&args, &arg, &len))
		found++;
	assert_int_equal(found, n);
	assert_int_equal(len, strlen(last));
	assert_memory_equal(arg, last, len);
}

static void arguments(void **state)
{
	(void)state;
	expect_args("", 0, "");
	expect_args("  ", 0, "");
	expect_args("8@%rdi", 1, "8@%rdi");
	expect_args("8@%rdi -4@12(%rsp) ", 2, "-4@12(%rsp)");
	expect_args("4@[sp, 60] 8@x0", 2, "8@x0");
	expect_args("8@x0 4@[sp, 60]", 2, "4@[sp, 60]");
	expect_args("%rdi", 1, "%rdi");
}

static void refuses(void **state)
{
	struct image m;
	struct usdt u;

	(void)state;
	assert_int_equal(usdt_load_mem(&u, "", 0), -ENOEXEC);
	assert_int_equal(usdt_load_mem(&u, "#!/bin/sh\n", 10), -ENOEXEC);
	m = (struct image){ .wide = true, .at = NOTES };
	finish(&m, 0);
	assert_int_equal(usdt_load_mem(&u, m.data, SIZE), -ENOENT);
}

/* Whatever stands in a byte, whatever is missing at the end: strings end within the notes. */
static void damaged(void **state)
{
	static const u8 values[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct image whole, m;
	struct usdt u;

	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		make(&whole, wide, 0x5000);
		for (u32 at = 0; at < SIZE; at++)
			for (size_t v = 0; v < sizeof(values); v++) {
				u8 *copy = malloc(SIZE);

				m = whole;
				m.data[at] = values[v];
				memcpy(copy, m.data, SIZE);
				if (!usdt_load_mem(&u, copy, SIZE)) {
					for (u32 i = 0; i < u.n; i++)
						assert_true(strlen(u.sites[i].provider) +
								    strlen(u.sites[i].name) +
								    strlen(u.sites[i].args) <
							    SIZE);
					usdt_free(&u);
				}
				free(copy);
			}
		for (u32 size = 0; size < SIZE; size++) {
			u8 *copy = malloc(size ?: 1);

			memcpy(copy, whole.data, size);
			if (!usdt_load_mem(&u, copy, size))
				usdt_free(&u);
			free(copy);
		}
	}
}

static u32 readelf_count(const char *path)
{
	char command[300], line[64] = "";
	FILE *f;

	snprintf(command, sizeof(command), "readelf -n %s 2>/dev/null | grep -c '^  stapsdt'",
		 path);
	f = popen(command, "r");
	fgets(line, sizeof(line), f);
	pclose(f);
	return strtoul(line, NULL, 10);
}

/* The address of a symbol by nm. */
static u64 nm_address(const char *path, const char *name, size_t len)
{
	char command[400], line[64] = "";
	FILE *f;

	snprintf(command, sizeof(command), "nm -D %s | awk '$3 == \"%.*s\" { print \"0x\" $1 }'",
		 path, (int)len, name);
	f = popen(command, "r");
	fgets(line, sizeof(line), f);
	pclose(f);
	return strtoull(line, NULL, 16);
}

/* In files of this machine every site is a nop, every semaphore 0, every operand understood. */
static void check_file(const char *path, u32 *named)
{
	int fd = open(path, O_RDONLY);
	struct usdt u;

	if (fd < 0)
		return;
	assert_int_equal(usdt_load(&u, fd), 0);
	assert_int_equal(u.n, readelf_count(path));
	for (u32 i = 0; i < u.n; i++) {
		const struct usdt_site *s = &u.sites[i];
		const char *args = s->args, *arg, *why;
		struct operand o, raw;
		u8 nop = 0, zero[2] = { 1, 1 };
		size_t len;

		assert_int_equal(pread(fd, &nop, 1, s->offset), 1);
		assert_int_equal(nop, 0x90);
		assert_int_equal(!s->semaphore, !s->semaphore_offset);
		if (s->semaphore) {
			assert_int_equal(pread(fd, zero, 2, s->semaphore_offset), 2);
			assert_true(!zero[0] && !zero[1]);
		}
		while (usdt_arg(&args, &arg, &len)) {
			if (!usdt_operand(&u, s, arg, len, &o, &why))
				fail_msg("%s %s:%s: %.*s: %s", path, s->provider, s->name, (int)len,
					 arg, why);
			assert_true(operand_parse(&raw, u.machine, arg, len, &why));
			if (!raw.symbol)
				continue;
			assert_int_equal(s->address + o.value - raw.value,
					 nm_address(path, raw.symbol, raw.symbol_len));
			(*named)++;
		}
	}
	usdt_free(&u);
	close(fd);
}

static void of_this_machine(void **state)
{
	const char *postgres = "/usr/lib/postgresql/15/bin/postgres";
	u32 named = 0;

	(void)state;
#ifndef __x86_64__
	skip();
#endif
	if (access("/usr/bin/readelf", X_OK))
		skip();
	check_file("/usr/bin/python3.11", &named);
	check_file("/usr/lib/x86_64-linux-gnu/libstdc++.so.6", &named);
	check_file("/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so", &named);
	check_file(postgres, &named);
	assert_true(named || access(postgres, R_OK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),     cmocka_unit_test(moves),
		cmocka_unit_test(arguments), cmocka_unit_test(refuses),
		cmocka_unit_test(damaged),   cmocka_unit_test(of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
