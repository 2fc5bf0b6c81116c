/* elffunc: functions of a file made here and of libc, against nm and objdump. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fixture/elf_image.h"
#include "ifunc.h"

#define VADDR 0x401000ull

static const struct image_symbol symbols[] = {
	{ "first", 0x000, 0x40, STB_LOCAL, STT_FUNC, false },
	{ "__libc_read", 0x100, 0x80, STB_GLOBAL, STT_FUNC, false },
	{ "read", 0x100, 0x80, STB_WEAK, STT_FUNC, false },
	{ "read", 0x100, 0x80, STB_WEAK, STT_FUNC, true },
	{ "static_one", 0x200, 0x10, STB_LOCAL, STT_FUNC, false },
	{ "static_one", 0x220, 0x10, STB_LOCAL, STT_FUNC, false },
	{ "memcpy@@GLIBC_2.14", 0x300, 0x10, STB_GLOBAL, STT_FUNC, false },
	{ "data", 0x310, 0x20, STB_GLOBAL, STT_OBJECT, false },
	{ "strlen", 0x400, 0x20, STB_GLOBAL, STT_GNU_IFUNC, true },
	{ "sizeless", 0x600, 0, STB_GLOBAL, STT_FUNC, false },
	{ "after", 0x680, 0x10, STB_GLOBAL, STT_FUNC, false },
	{ "last", 0xe00, 0, STB_GLOBAL, STT_FUNC, false },
	{ 0 },
};

static bool is(const char *name, void *arg)
{
	return !strcmp(name, arg);
}

static bool any(const char *name, void *arg)
{
	(void)arg;
	return *name;
}

struct subject {
	u8 image[IMAGE_SIZE];
	struct elf_file file;
	struct elffuncs fs;
	const struct elffunc **found;
};

static void load(struct subject *s)
{
	assert_int_equal(elf_open_mem(&s->file, s->image, sizeof(s->image)), 0);
	assert_int_equal(elf_read_segments(&s->file), 0);
	assert_int_equal(elffuncs_read(&s->fs, &s->file), 0);
	s->found = NULL;
}

static void make(struct subject *s)
{
	image_make(s->image, &(struct image_layout){ true, VADDR, "x" }, symbols);
	load(s);
}

static void unload(struct subject *s)
{
	free(s->found);
	elffuncs_free(&s->fs);
	elf_close(&s->file);
}

static int find(struct subject *s, const char *name)
{
	free(s->found);
	return elffuncs_match(&s->fs, name ? is : any, (void *)name, &s->found);
}

static void expect(struct subject *s, u32 i, const char *name, u64 start, u64 size)
{
	assert_string_equal(elffunc_name(&s->fs, s->found[i]), name);
	assert_int_equal(s->found[i]->addr, VADDR + start);
	assert_int_equal(s->found[i]->size, size);
	assert_int_equal(elffunc_offset(&s->fs, s->found[i]), IMAGE_TEXT + start);
}

static void by_name(void **state)
{
	struct subject s;

	(void)state;
	make(&s);
	assert_int_equal(find(&s, "read"), 1);
	expect(&s, 0, "read", 0x100, 0x80);
	assert_int_equal(find(&s, "__libc_read"), 1); /* the alias that was asked for */
	expect(&s, 0, "__libc_read", 0x100, 0x80);
	assert_int_equal(find(&s, "static_one"), 2);
	expect(&s, 0, "static_one", 0x200, 0x10);
	expect(&s, 1, "static_one", 0x220, 0x10);
	assert_int_equal(find(&s, "memcpy"), 1);
	assert_int_equal(find(&s, "memcpy@@GLIBC_2.14"), 0);
	assert_int_equal(find(&s, "data"), 0);
	assert_int_equal(find(&s, "strlen"), 1);
	assert_true(s.found[0]->ifunc);
	assert_int_equal(find(&s, "sizeless"), 1);
	expect(&s, 0, "sizeless", 0x600, 0x80);
	assert_int_equal(find(&s, "last"), 1);
	expect(&s, 0, "last", 0xe00, 0x100); /* its section ends */
	unload(&s);
}

static void all(void **state)
{
	struct subject s;

	(void)state;
	make(&s);
	assert_int_equal(find(&s, NULL), 9);
	for (u32 i = 1; i < 9; i++)
		assert_true(s.found[i]->addr > s.found[i - 1]->addr);
	expect(&s, 1, "read", 0x100, 0x80); /* the plainest of its names */
	unload(&s);
}

/* push %rbp; mov %rsp,%rbp; test; je +3; pop; ret; (3 bytes of nop); pop; jmp out; ret $8 */
static const u8 code[] = { 0x55, 0x48, 0x89, 0xe5, 0x85, 0xff, 0x74, 0x05, 0x5d, 0xc3, 0x0f, 0x1f,
			   0x00, 0x5d, 0xe9, 0x00, 0x01, 0x00, 0x00, 0xff, 0xe0, 0xc2, 0x08, 0x00 };

static void instructions(void **state)
{
	struct elffunc_returns r;
	struct subject s;

	(void)state;
	image_make(s.image, &(struct image_layout){ true, VADDR, "x" }, symbols);
	memcpy(s.image + IMAGE_TEXT, code, sizeof(code));
	memset(s.image + IMAGE_TEXT + sizeof(code), 0x90, 0x40 - sizeof(code));
	memset(s.image + IMAGE_TEXT + 0x200, 0x06, 0x10); /* no instruction */
	load(&s);
	assert_int_equal(find(&s, "first"), 1);
	assert_int_equal(elffunc_returns(&s.fs, s.found[0], &r), 0);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.at[0], 9);
	assert_int_equal(r.at[1], 21);
	assert_int_equal(r.jumps, 2);
	free(r.at);
	assert_int_equal(elffunc_check(&s.fs, s.found[0], 0), 0);
	assert_int_equal(elffunc_check(&s.fs, s.found[0], 1), 0);
	assert_int_equal(elffunc_check(&s.fs, s.found[0], 2), -EILSEQ);
	assert_int_equal(elffunc_check(&s.fs, s.found[0], 4), 0);
	assert_int_equal(elffunc_check(&s.fs, s.found[0], 0x3f), 0);
	assert_int_equal(elffunc_check(&s.fs, s.found[0], 0x40), -ERANGE);
	assert_int_equal(elffunc_check(&s.fs, s.found[0], ~0ull), -ERANGE);
	assert_int_equal(find(&s, "static_one"), 2);
	assert_int_equal(elffunc_check(&s.fs, s.found[0], 1), -EOPNOTSUPP);
	assert_int_equal(elffunc_returns(&s.fs, s.found[0], &r), -EOPNOTSUPP);
	assert_null(r.at);
	s.file.machine = EM_386;
	assert_int_equal(find(&s, "first"), 1);
	assert_int_equal(elffunc_check(&s.fs, s.found[0], 0), 0);
	assert_int_equal(elffunc_check(&s.fs, s.found[0], 1), -EOPNOTSUPP);
	unload(&s);
}

/* What nm says of libc: every function that it exports is found, at its place. */
static void as_nm(void **state)
{
	const char *path = "/lib/x86_64-linux-gnu/libc.so.6";
	struct subject s = {};
	char line[512], name[256], type;
	u64 addr, size;
	u32 n = 0;
	int fd = open(path, O_RDONLY);
	FILE *nm;

	(void)state;
	if (fd < 0 || access("/usr/bin/nm", X_OK))
		skip();
	assert_int_equal(elf_open(&s.file, fd), 0);
	assert_int_equal(elf_read_segments(&s.file), 0);
	assert_int_equal(elffuncs_read(&s.fs, &s.file), 0);
	assert_int_equal(s.fs.err, 0);
	nm = popen("nm -DS --defined-only /lib/x86_64-linux-gnu/libc.so.6", "r");
	while (fgets(line, sizeof(line), nm)) {
		bool found = false;
		int got;

		if (sscanf(line, "%llx %llx %c %255s", &addr, &size, &type, name) != 4 ||
		    !strchr("TtWwi", type))
			continue;
		name[strcspn(name, "@")] = '\0';
		got = find(&s, name);
		for (int i = 0; i < got; i++)
			found |= s.found[i]->addr == addr && s.found[i]->size == size &&
				 s.found[i]->ifunc == (type == 'i');
		if (!found)
			fail_msg("%s", line);
		n++;
	}
	pclose(nm);
	assert_true(n > 2000);
	assert_false(elf_is_go(&s.file));
	unload(&s);
	close(fd);
}

/* A stripped Go program: three functions, and the table that its run-time has of them. */
#define GO_TABLE 0x400
#define GO_NAMES "\0main.main\0os.(*File).Read\0type:.eq.x"

static void put64(u8 *at, u64 v)
{
	memcpy(at, &v, sizeof(v));
}

static void put32(u8 *at, u32 v)
{
	memcpy(at, &v, sizeof(v));
}

static void make_go(u8 *image, u32 magic)
{
	static const u32 starts[] = { 0, 0x40, 0x50, 0x80 }, names[] = { 1, 11, 27 };
	static const char sections[] = "\0.gopclntab\0.shstrtab";
	u8 *table = image + GO_TABLE, *functions = table + 0x80;
	Elf64_Ehdr h = { .e_machine = EM_X86_64,
			 .e_phoff = 0x40,
			 .e_phnum = 1,
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_shoff = 0x100,
			 .e_shnum = 3,
			 .e_shentsize = sizeof(Elf64_Shdr),
			 .e_shstrndx = 2 };
	Elf64_Phdr load = { PT_LOAD, PF_X, IMAGE_TEXT, VADDR, 0, 0x1000, 0x1000, 1 };
	Elf64_Shdr s[] = { { 0 },
			   { 1, SHT_PROGBITS, 0, 0, GO_TABLE, 0x200 },
			   { 12, SHT_STRTAB, 0, 0, 0x300, sizeof(sections) } };

	memset(image, 0, IMAGE_SIZE);
	memcpy(h.e_ident, ELFMAG, SELFMAG);
	h.e_ident[EI_CLASS] = ELFCLASS64;
	h.e_ident[EI_DATA] = ELFDATA2LSB;
	memcpy(image, &h, sizeof(h));
	memcpy(image + 0x40, &load, sizeof(load));
	memcpy(image + 0x100, s, sizeof(s));
	memcpy(image + 0x300, sections, sizeof(sections));
	put32(table, magic);
	table[7] = 8;
	put64(table + 8, 3);
	put64(table + 24, VADDR);
	put64(table + 32, 0x50);
	put64(table + 40, 0x50 + sizeof(GO_NAMES));
	put64(table + 64, 0x80);
	memcpy(table + 0x50, GO_NAMES, sizeof(GO_NAMES));
	for (u32 i = 0; i < 4; i++) {
		put32(functions + i * 8, starts[i]);
		if (i == 3)
			break;
		put32(functions + i * 8 + 4, 0x40 + i * 8);
		put32(functions + 0x40 + i * 8, starts[i]);
		put32(functions + 0x44 + i * 8, names[i]);
	}
	memset(image + IMAGE_TEXT, 0x90, 0x80);
	image[IMAGE_TEXT + 0x10] = image[IMAGE_TEXT + 0x3f] = 0xc3;
}

static void go(void **state)
{
	struct elffunc_returns r;
	struct subject s;

	(void)state;
	for (u32 magic = 0xfffffff0; magic <= 0xfffffff1; magic++) {
		make_go(s.image, magic);
		load(&s);
		assert_true(elf_is_go(&s.file));
		assert_int_equal(s.fs.n, 3);
		assert_int_equal(find(&s, "os.(*File).Read"), 1);
		expect(&s, 0, "os.(*File).Read", 0x40, 0x10);
		assert_int_equal(find(&s, "main.main"), 1);
		expect(&s, 0, "main.main", 0, 0x40);
		assert_int_equal(elffunc_returns(&s.fs, s.found[0], &r), 0);
		assert_int_equal(r.n, 2);
		assert_true(r.at[0] == 0x10 && r.at[1] == 0x3f && !r.jumps);
		free(r.at);
		unload(&s);
	}
	make_go(s.image, 0xfffffffa); /* of Go 1.16 */
	load(&s);
	assert_int_equal(s.fs.n + s.fs.err, 0);
	unload(&s);
}

/* Whatever stands in a byte of the table: functions lie in the code, names end. */
static void damaged_go(void **state)
{
	static const u8 values[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct subject s;

	(void)state;
	for (u32 at = 0; at < 0x100; at++)
		for (size_t v = 0; v < sizeof(values); v++) {
			make_go(s.image, 0xfffffff1);
			s.image[GO_TABLE + at] = values[v];
			load(&s);
			for (u32 i = 0; i < s.fs.n; i++) {
				const struct elffunc *f = &s.fs.at[i];

				assert_true(strlen(elffunc_name(&s.fs, f)) < IMAGE_SIZE);
				assert_true(f->addr >= VADDR &&
					    f->addr + f->size <= VADDR + 0x1000);
			}
			unload(&s);
		}
}

/* What the dynamic linker made of indirect functions, in this process and in any. */
static void indirect(void **state)
{
	static const char *const names[] = { "wcslen", "wmemset", "strchrnul", "memrchr" };
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	struct link_map *map = NULL;
	struct subject s = {};
	struct stat st;
	u64 addr = 0;
	u32 resolved = 0;
	int fd;

	(void)state;
	if (!libc || dlinfo(libc, RTLD_DI_LINKMAP, &map))
		skip();
	fd = open(map->l_name, O_RDONLY);
	assert_int_equal(elf_open(&s.file, fd), 0);
	assert_int_equal(elf_read_segments(&s.file), 0);
	assert_int_equal(elffuncs_read(&s.fs, &s.file), 0);
	assert_int_equal(fstat(fd, &st), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		u64 known = (u64)dlvsym(libc, names[i], "GLIBC_2.2.5") - map->l_addr;

		assert_int_equal(find(&s, names[i]), 1);
		if (!s.found[0]->ifunc)
			continue;
		resolved++;
		assert_true(known != s.found[0]->addr);
		assert_int_equal(ifunc_resolve(&s.file, st.st_dev, st.st_ino, s.found[0]->addr,
					       getpid(), &addr),
				 0);
		assert_int_equal(addr, known);
		addr = 0;
		assert_int_equal(
			ifunc_resolve(&s.file, st.st_dev, st.st_ino, s.found[0]->addr, 0, &addr),
			0);
		assert_int_equal(addr, known);
		assert_int_equal(ifunc_resolve(&s.file, st.st_dev, st.st_ino, s.found[0]->addr,
					       4194304, &addr),
				 -ESRCH);
		assert_int_equal(ifunc_resolve(&s.file, 1, 1, s.found[0]->addr, 0, &addr), -ESRCH);
	}
#ifdef __x86_64__
	assert_true(resolved >= 2);
#endif
	assert_int_equal(ifunc_resolve(&s.file, st.st_dev, st.st_ino, 1, 0, &addr), -ENOENT);
	unload(&s);
	close(fd);
	dlclose(libc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name),  cmocka_unit_test(all), cmocka_unit_test(instructions),
		cmocka_unit_test(as_nm),    cmocka_unit_test(go),  cmocka_unit_test(damaged_go),
		cmocka_unit_test(indirect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
