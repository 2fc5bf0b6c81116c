/* usyms: this process, others, the dead; files that are odd, gone, replaced or hostile. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "clock.h"
#include "elfsym.h"
#include "fixture/elf_image.h"
#include "usyms.h"

#define SECOND 1000000000ull

/* Nothing is left below this folder when the tests are over. */
static char dir[] = "/tmp/test_usyms.XXXXXX";
static volatile int sink;

static __attribute__((noinline)) int a_static_function(int x)
{
	return sink = x * 3 + 1;
}

__attribute__((noinline, visibility("default"))) int an_exported_function(int x)
{
	return sink = a_static_function(x) + 2;
}

static const struct image_symbol symbols[] = {
	{ "first", 0x000, 0x40, STB_LOCAL, STT_FUNC, false },
	/* a gap from 0x40 to 0x100 */
	{ "__alias", 0x100, 0x80, STB_GLOBAL, STT_FUNC, false },
	{ "alias", 0x100, 0x80, STB_WEAK, STT_FUNC, false },
	{ "outer", 0x200, 0x100, STB_GLOBAL, STT_FUNC, false },
	{ "inner", 0x240, 0x10, STB_LOCAL, STT_FUNC, false },
	{ "data", 0x310, 0x20, STB_GLOBAL, STT_OBJECT, false },
	{ "resolver", 0x400, 0x20, STB_GLOBAL, STT_GNU_IFUNC, false },
	{ "exported", 0x500, 0x40, STB_GLOBAL, STT_FUNC, true },
	{ "sizeless", 0x600, 0, STB_GLOBAL, STT_FUNC, true },
	{ "after", 0x680, 0x10, STB_GLOBAL, STT_FUNC, false },
	{ "last_sizeless", 0xe00, 0, STB_GLOBAL, STT_FUNC, false },
	{ 0 },
};

static const struct {
	u32 at;
	const char *name; /* with offset; NULL: none */
} expected[] = {
	{ 0x000, "first+0x0" },
	{ 0x03f, "first+0x3f" },
	{ 0x040, NULL },
	{ 0x0ff, NULL },
	{ 0x100, "alias+0x0" },
	{ 0x17f, "alias+0x7f" },
	{ 0x180, NULL },
	{ 0x23f, "outer+0x3f" },
	{ 0x240, "inner+0x0" },
	{ 0x250, "outer+0x50" },
	{ 0x2ff, "outer+0xff" },
	{ 0x300, NULL },
	{ 0x310, NULL },
	{ 0x401, "resolver+0x1" },
	{ 0x500, "exported+0x0" },
	{ 0x540, NULL },
	{ 0x600, "sizeless+0x0" },
	{ 0x67f, "sizeless+0x7f" },
	{ 0x680, "after+0x0" },
	{ 0x690, NULL },
	{ 0xe00, "last_sizeless+0x0" },
	{ 0xeff, "last_sizeless+0xff" },
	{ 0xf00, NULL }, /* its section ends */
};

static void path_of(char *path, const char *name)
{
	snprintf(path, 128, "%s/%s", dir, name);
}

static void write_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

/* Maps a page of a file's code as the loader would. */
static u8 *map_code(const char *path)
{
	int fd = open(path, O_RDONLY);
	void *p = mmap(NULL, 0x1000, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, IMAGE_TEXT);

	assert_true(p != MAP_FAILED);
	close(fd);
	return p;
}

static void check(struct usyms *us, u32 pid, const void *addr, const char *text)
{
	struct buf b = {};
	struct sym s;

	usyms_find(us, pid, (u64)addr, &s);
	sym_text(&b, &s, true);
	buf_chr(&b, '\0');
	assert_string_equal(b.data, text);
	buf_free(&b);
}

static void check_image(const struct image_layout *l, const char *name)
{
	struct usyms *us = usyms_new();
	u8 image[IMAGE_SIZE], *code;
	char path[128], text[64];
	struct sym s;

	path_of(path, name);
	image_make(image, l, symbols);
	write_file(path, image, sizeof(image));
	code = map_code(path);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		snprintf(text, sizeof(text), "%s+0x%llx", name, l->vaddr + expected[i].at);
		check(us, getpid(), code + expected[i].at, expected[i].name ?: text);
	}
	assert_int_equal(usyms_find(us, getpid(), (u64)code + 0x50, &s), 0);
	assert_int_equal(s.kind, SYM_FILE);
	assert_string_equal(s.module, path);
	assert_int_equal(s.address, l->vaddr + 0x50);
	assert_int_equal(s.err, 0);
	assert_int_equal(s.build_id_len, strlen(l->build_id));
	assert_memory_equal(s.build_id, l->build_id, s.build_id_len);
	munmap(code, 0x1000);
	unlink(path);
	usyms_free(us);
}

static void layouts(void **state)
{
	(void)state;
	check_image(&(struct image_layout){ true, 0x1000, "pie-twenty-bytes-id" }, "pie.so");
	check_image(&(struct image_layout){ true, 0x401000, "fixed" }, "fixed");
	check_image(&(struct image_layout){ true, 0x3a4c801000, "prelinked" }, "prelinked.so");
	check_image(&(struct image_layout){ true, 0x2345, "odd" }, "odd.so");
	check_image(&(struct image_layout){ false, 0x1000, "narrow" }, "narrow.so");
	check_image(&(struct image_layout){ false, 0x8049000, "narrow-fixed" }, "narrow");
}

static void own_functions(void **state)
{
	struct usyms *us = usyms_new();
	struct sym s;

	(void)state;
	assert_int_equal(an_exported_function(1), 6);
	check(us, getpid(), a_static_function, "a_static_function+0x0");
	check(us, getpid(), (char *)an_exported_function + 1, "an_exported_function+0x1");
	assert_int_equal(usyms_find(us, getpid(), (u64)&sink, &s), -ENOENT);
	assert_int_equal(usyms_find(us, getpid(), 0, &s), -ENOENT);
	assert_int_equal(usyms_find(us, getpid(), ~0ull, &s), -ENOENT);
	assert_int_equal(s.kind, SYM_NONE);
	assert_int_equal(usyms_files_read(us), 1);
	assert_true(usyms_memory(us) > 0);
	usyms_free(us);
}

/* Without its .symtab a file has only what .dynsym says, never the nearest of that. */
static void stripped(void **state)
{
	struct usyms *us = usyms_new();
	u8 image[IMAGE_SIZE], *code;
	Elf64_Shdr *section = (Elf64_Shdr *)(image + 0x2c00);
	char path[128];

	(void)state;
	path_of(path, "stripped.so");
	image_make(image, &(struct image_layout){ true, 0x1000, "x" }, symbols);
	section[2].sh_type = SHT_NULL;
	write_file(path, image, sizeof(image));
	code = map_code(path);
	check(us, getpid(), code + 0x501, "exported+0x1");
	check(us, getpid(), code + 0x545, "stripped.so+0x1545");
	check(us, getpid(), code + 0x210, "stripped.so+0x1210");
	munmap(code, 0x1000);
	unlink(path);
	usyms_free(us);
}

/* This very program without its .symtab, run: libc and the loader lay it out. */
static void own_copy_stripped(void **state)
{
	struct usyms *us = usyms_new();
	int in = open("/proc/self/exe", O_RDONLY), to_child[2], from_child[2];
	struct stat st;
	char path[128], *image;
	u64 addr[2];
	Elf64_Ehdr *h;
	struct sym s;
	pid_t pid;

	(void)state;
	assert_int_equal(fstat(in, &st), 0);
	image = malloc(st.st_size);
	assert_int_equal(read(in, image, st.st_size), st.st_size);
	close(in);
	h = (Elf64_Ehdr *)image;
	for (int i = 0; i < h->e_shnum; i++) {
		Elf64_Shdr *section = (Elf64_Shdr *)(image + h->e_shoff) + i;

		if (section->sh_type == SHT_SYMTAB)
			section->sh_type = SHT_NULL;
	}
	path_of(path, "stripped");
	write_file(path, image, st.st_size);
	free(image);
	assert_int_equal(pipe(to_child), 0);
	assert_int_equal(pipe(from_child), 0);
	pid = fork();
	if (!pid) {
		dup2(to_child[0], 0);
		dup2(from_child[1], 1);
		close(to_child[1]);
		execl(path, path, "--wait", NULL);
		_exit(1);
	}
	assert_int_equal(read(from_child[0], addr, sizeof(addr)), sizeof(addr));
	assert_int_equal(usyms_find(us, pid, addr[0], &s), 0);
	assert_null(s.name);
	assert_string_equal(s.module, path);
	assert_int_equal(s.err, 0);
	/* libc has lost its .symtab long ago; what it exports is in .dynsym */
	assert_int_equal(usyms_find(us, pid, addr[1], &s), 0);
	assert_non_null(s.name);
	close(to_child[0]);
	close(to_child[1]);
	close(from_child[0]);
	close(from_child[1]);
	waitpid(pid, NULL, 0);
	unlink(path);
	usyms_free(us);
}

/* The other end of own_copy_stripped(). */
static int wait_for_end(void)
{
	u64 addr[] = { (u64)a_static_function, (u64)dlsym(RTLD_DEFAULT, "getenv") };
	char c;

	if (write(1, addr, sizeof(addr)) != sizeof(addr))
		return 1;
	return read(0, &c, 1) > 0;
}

static void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static void loaded_deleted_unloaded(void **state)
{
	struct usyms *us = usyms_new();
	char path[128], command[512];
	void *lib, *function;
	Dl_info info;

	(void)state;
	assert_true(dladdr(dlsym(RTLD_DEFAULT, "_cmocka_run_group_tests"), &info));
	path_of(path, "loaded.so");
	snprintf(command, sizeof(command), "cp -L %s %s", info.dli_fname, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(usyms_capture(us, getpid()), 0);
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	assert_non_null(lib);
	unlink(path);
	function = dlsym(lib, "_cmocka_run_group_tests");
	assert_true(dladdr(function, &info) && !strcmp(info.dli_fname, path));
	/* Mapped after the capture: found because an unknown address asks for another. */
	pause_ms(100);
	check(us, getpid(), function + 1, "_cmocka_run_group_tests+0x1");
	dlclose(lib);
	usyms_refresh(us, getpid());
	check(us, getpid(), function + 2, "_cmocka_run_group_tests+0x2");
	usyms_free(us);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

static void exited_after_capture(void **state)
{
	struct usyms *us = usyms_new();
	pid_t pid = sleeper();

	(void)state;
	assert_int_equal(usyms_capture(us, pid), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(usyms_capture(us, pid), 0);
	check(us, pid, a_static_function, "a_static_function+0x0");
	assert_int_equal(usyms_refresh(us, pid), -ESRCH);
	check(us, pid, an_exported_function, "an_exported_function+0x0");
	check(us, pid, (void *)4097, "[unknown]");
	usyms_free(us);
}

static void exited_before(void **state)
{
	struct usyms *us = usyms_new();
	pid_t pid = sleeper();
	siginfo_t info;
	struct sym s;

	(void)state;
	kill(pid, SIGKILL);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	assert_int_equal(usyms_find(us, pid, (u64)a_static_function, &s), -ESRCH); /* zombie */
	waitpid(pid, NULL, 0);
	assert_int_equal(usyms_find(us, pid, (u64)a_static_function, &s), -ESRCH);
	assert_int_equal(s.kind, SYM_NONE);
	assert_int_equal(s.err, -ESRCH);
	usyms_free(us);
}

static void vdso_and_areas(void **state)
{
	struct usyms *us = usyms_new();
	u8 *vdso = (u8 *)getauxval(AT_SYSINFO_EHDR), *jit;
	struct elfsym *e;
	struct sym s;
	bool named = false;

	(void)state;
	jit = mmap(NULL, 0x2000, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_int_equal(usyms_find(us, getpid(), (u64)jit + 0x1234, &s), 0);
	assert_int_equal(s.kind, SYM_AREA);
	assert_string_equal(s.module, "[anon]");
	check(us, getpid(), jit + 0x1234, "[anon]+0x1234");
	munmap(jit, 0x2000);
	if (vdso) {
		assert_int_equal(elfsym_load_mem(&e, vdso, 4096), 0);
		elfsym_free(e);
		assert_int_equal(usyms_find(us, getpid(), (u64)vdso + 8, &s), 0);
		assert_int_equal(s.kind, SYM_VDSO);
		check(us, getpid(), vdso + 8, "[vdso]+0x8");
		for (u64 at = 0; at < 0x2000 && !named; at += 16)
			if (!usyms_find(us, getpid(), (u64)vdso + at, &s))
				named = s.name && strstr(s.name, "clock_gettime");
		assert_true(named);
	}
	usyms_free(us);
}

enum fate { INTACT, COVERED, COVERED_BY_FIFO, DELETED };

/* What becomes of the path of a mapped file, in a mount namespace of our own. */
static int befall(enum fate fate, const char *path, const char *other)
{
	if (fate == INTACT)
		return 0;
	if (fate == DELETED)
		return unlink(path) || mkfifo(path, 0644) ? 102 : 0;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(other, path, NULL, MS_BIND, NULL))
		return 77; /* not allowed here */
	return 0;
}

/* Without the right to map_files the path is tried, and believed only if it is that file. */
static int without_map_files(enum fate fate, u8 *code, const char *path, const char *other)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2];
	struct usyms *us = usyms_new();
	int bad = befall(fate, path, other);
	struct sym s;

	if (bad)
		return bad;
	if (syscall(SYS_capget, &head, caps))
		return 100;
	caps[0].effective &= ~(1u << CAP_SYS_ADMIN);
	caps[1].effective &= ~CAP_TO_MASK(CAP_CHECKPOINT_RESTORE);
	if (syscall(SYS_capset, &head, caps))
		return 101;
	if (usyms_find(us, getpid(), (u64)code + 1, &s))
		return 103;
	if (fate == INTACT)
		bad = !s.name || strcmp(s.name, "first");
	else
		bad = s.name || s.err != -ESTALE || s.address != IMAGE_TEXT + 1;
	usyms_free(us);
	return bad;
}

static void replaced(void **state)
{
	char path[128], library[128], fifo[128];
	u8 image[IMAGE_SIZE], *code;

	(void)state;
	path_of(path, "lib.so");
	path_of(library, "other.so");
	path_of(fifo, "fifo");
	image_make(image, &(struct image_layout){ true, 0x401000, "x" }, symbols);
	write_file(path, image, sizeof(image));
	write_file(library, image, sizeof(image));
	assert_int_equal(mkfifo(fifo, 0644), 0);
	code = map_code(path);
	for (enum fate fate = INTACT; fate <= DELETED; fate++) {
		pid_t pid = fork();
		int status;

		if (!pid)
			_exit(without_map_files(fate, code, path,
						fate == COVERED ? library : fifo));
		waitpid(pid, &status, 0);
		assert_true(status == 0 || WEXITSTATUS(status) == 77);
	}
	munmap(code, 0x1000);
	unlink(path);
	unlink(library);
	unlink(fifo);
}

/* A file written over keeps its inode: what is mapped later is not what was read before. */
static void written_over(void **state)
{
	static const struct image_symbol others[] = {
		{ "other", 0x000, 0x80, STB_GLOBAL, STT_FUNC, false }, { 0 }
	};
	struct usyms *us = usyms_new();
	u8 image[IMAGE_SIZE], *code, *again;
	char path[128];

	(void)state;
	path_of(path, "over.so");
	image_make(image, &(struct image_layout){ true, 0x1000, "x" }, symbols);
	write_file(path, image, sizeof(image));
	code = map_code(path);
	check(us, getpid(), code, "first+0x0");
	pause_ms(20);
	image_make(image, &(struct image_layout){ true, 0x1000, "y" }, others);
	write_file(path, image, sizeof(image));
	again = map_code(path);
	usyms_refresh(us, getpid());
	check(us, getpid(), again + 2, "other+0x2");
	munmap(code, 0x1000);
	munmap(again, 0x1000);
	unlink(path);
	usyms_free(us);
}

/* One reading serves all processes, and so does one descriptor. */
static void shared_by_processes(void **state)
{
	struct usyms *us = usyms_new();
	pid_t pids[20];

	(void)state;
	for (int i = 0; i < 20; i++)
		pids[i] = sleeper();
	for (int i = 0; i < 20; i++)
		check(us, pids[i], a_static_function, "a_static_function+0x0");
	assert_int_equal(usyms_files_read(us), 1);
	for (int i = 0; i < 20; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	usyms_free(us);
}

/* More files than are kept open: each is read or open, none is lost. */
static void many_files(void **state)
{
	enum { N = 300 };
	struct usyms *us = usyms_new();
	u8 image[IMAGE_SIZE], *code[N];
	char path[128], name[32];

	(void)state;
	image_make(image, &(struct image_layout){ true, 0x1000, "x" }, symbols);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "many%d.so", i);
		path_of(path, name);
		write_file(path, image, sizeof(image));
		code[i] = map_code(path);
		unlink(path);
	}
	assert_int_equal(usyms_capture(us, getpid()), 0);
	assert_true(usyms_files_read(us) > 0 && usyms_files_read(us) < N);
	for (int i = 0; i < N; i++)
		munmap(code[i], 0x1000);
	for (int i = 0; i < N; i++)
		check(us, getpid(), code[i] + 3, "first+0x3");
	usyms_free(us);
}

/* Whatever the image, loading and asking ends soon, and the sanitizers see no fault. */
static void survive(const void *image, size_t size)
{
	struct elfsym *e = NULL;
	u64 addr, offset;

	if (elfsym_load_mem(&e, image, size))
		return;
	for (u64 at = 0; at < IMAGE_SIZE; at += 64)
		if (elfsym_address(e, at, &addr))
			elfsym_find(e, addr, &offset);
	assert_true(elfsym_memory(e) < 1 << 20);
	elfsym_free(e);
}

static void damaged(void **state)
{
	u8 image[IMAGE_SIZE], *exact;
	u64 from = clock_mono();

	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		image_make(image, &(struct image_layout){ wide, 0x1000, "x" }, symbols);
		for (size_t size = 0; size <= sizeof(image); size += 64) {
			exact = malloc(size ?: 1); /* so that a byte too far is seen */
			memcpy(exact, image, size);
			survive(exact, size);
			free(exact);
		}
		srand(7);
		for (int round = 0; round < 20000; round++) {
			u8 bad[IMAGE_SIZE];

			memcpy(bad, image, sizeof(bad));
			for (int n = rand() % 8 + 1; n--;) {
				/* The headers and tables, not the code. */
				size_t at = rand() % 2 ? rand() % 0x240 : 0x2000 + rand() % 0x1000;

				bad[at] = rand() % 4 ? rand() : 0xff;
			}
			survive(bad, sizeof(bad));
		}
	}
	assert_true(clock_mono() - from < 20 * SECOND);
}

static int load_file(const char *path, struct elfsym **e)
{
	int fd = open(path, O_RDONLY), err = elfsym_load(e, fd, NULL);

	close(fd);
	return err;
}

/* Each lie of the headers costs what it is about, and nothing else. */
static void lies(void **state)
{
	static const struct {
		u32 at, size;
		u64 value;
		int err, symbols_err;
	} lie[] = {
		/* in the header: e_ident, e_phoff, e_phnum, e_shoff, e_shentsize, e_shnum */
		{ 0x00, 4, 0, -ENOEXEC, 0 },
		{ EI_DATA, 1, ELFDATA2MSB, -ENOEXEC, 0 },
		{ EI_CLASS, 1, 7, -ENOEXEC, 0 },
		{ 0x20, 8, ~0ull, -ENOEXEC, 0 },
		{ 0x38, 2, 0, -ENOEXEC, 0 },
		{ 0x38, 2, 0xfffe, -EFBIG, 0 },
		{ 0x38, 2, PN_XNUM, -ENOEXEC, 0 },
		{ 0x28, 8, ~0ull, 0, -ENOEXEC },
		{ 0x28, 8, 0, 0, 0 },
		{ 0x3a, 2, 1, 0, -ENOEXEC },
		{ 0x3c, 2, 0xfff0, 0, -ENOEXEC },
		{ 0x3c, 2, 0, 0, 0 },
		/* .symtab: offset, size, link to itself, out of range, entry size */
		{ 0x2c00 + 2 * 64 + 24, 8, ~0ull, 0, -ENOEXEC },
		{ 0x2c00 + 2 * 64 + 32, 8, ~0ull, 0, -EFBIG },
		{ 0x2c00 + 2 * 64 + 32, 8, 0x100000, 0, -ENOEXEC },
		{ 0x2c00 + 2 * 64 + 40, 4, 2, 0, -ENOEXEC },
		{ 0x2c00 + 2 * 64 + 40, 4, 0xffffffff, 0, -ENOEXEC },
		{ 0x2c00 + 2 * 64 + 56, 8, 0, 0, -ENOEXEC },
		/* .strtab: offset, size, type */
		{ 0x2c00 + 3 * 64 + 24, 8, ~0ull, 0, -ENOEXEC },
		{ 0x2c00 + 3 * 64 + 32, 8, ~0ull, 0, -EFBIG },
		{ 0x2c00 + 3 * 64 + 4, 4, SHT_NOBITS, 0, -ENOEXEC },
		{ 0x2c00 + 3 * 64 + 32, 8, 0, 0, 0 },
		/* notes: a name, a description that is longer than all; cut in the name, after it
		 */
		{ 0x200, 4, ~0u, 0, 0 },
		{ 0x204, 4, ~0u, 0, 0 },
		{ 0x40 + 2 * 56 + 32, 8, 12, 0, 0 },
		{ 0x40 + 2 * 56 + 32, 8, 16, 0, 0 },
		{ 0x40 + 2 * 56 + 32, 8, 10ull << 30, 0, 0 },
	};
	u8 image[IMAGE_SIZE];
	char path[128];

	(void)state;
	path_of(path, "lie.so");
	for (size_t i = 0; i < sizeof(lie) / sizeof(*lie); i++) {
		struct elfsym *e = NULL;
		u64 offset;

		image_make(image, &(struct image_layout){ true, 0x1000, "x" }, symbols);
		memcpy(image + lie[i].at, &lie[i].value, lie[i].size);
		write_file(path, image, sizeof(image));
		if (load_file(path, &e) != lie[i].err || (e && elfsym_err(e) != lie[i].symbols_err))
			fail_msg("lie %zu: %d, %d", i, load_file(path, &e), e ? elfsym_err(e) : 0);
		/* What is wrong with .symtab leaves .dynsym as it is. */
		if (e && lie[i].at >= 0x2c00 && lie[i].symbols_err)
			assert_string_equal(elfsym_find(e, 0x1500, &offset), "exported");
		elfsym_free(e);
	}
	unlink(path);
}

/* A count of 0 in the header means that section 0 has it; strings need not end in a NUL. */
static void counts_elsewhere_and_open_strings(void **state)
{
	u8 image[IMAGE_SIZE];
	Elf64_Ehdr *h = (Elf64_Ehdr *)image;
	Elf64_Shdr *section = (Elf64_Shdr *)(image + 0x2c00);
	struct elfsym *e;
	u64 offset;

	(void)state;
	image_make(image, &(struct image_layout){ true, 0x1000, "x" }, symbols);
	h->e_shnum = 0;
	section[0].sh_size = 6;
	h->e_phnum = PN_XNUM;
	section[0].sh_info = 3;
	section[5].sh_size -= 2; /* "sizeles" */
	assert_int_equal(elfsym_load_mem(&e, image, sizeof(image)), 0);
	assert_string_equal(elfsym_find(e, 0x1000, &offset), "first");
	assert_string_equal(elfsym_find(e, 0x1600, &offset), "sizeles");
	elfsym_free(e);
	section[0].sh_size = ~0ull;
	assert_int_equal(elfsym_load_mem(&e, image, sizeof(image)), 0);
	assert_int_equal(elfsym_err(e), -EFBIG);
	elfsym_free(e);
}

static size_t peak_kb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* 10 GB of holes, with tables that claim all of it, or as much as is allowed. */
static void sparse(void **state)
{
	static const u64 sizes[] = { 10ull << 30, 90 << 20 };
	u64 from = clock_mono();
	size_t before = peak_kb();
	u8 image[IMAGE_SIZE];
	Elf64_Shdr *section = (Elf64_Shdr *)(image + 0x2c00);
	char path[128];

	(void)state;
	path_of(path, "sparse.so");
	for (int i = 0; i < 2; i++) {
		struct elfsym *e;
		u64 offset;

		image_make(image, &(struct image_layout){ true, 0x1000, "x" }, symbols);
		section[2].sh_size = sizes[i];
		section[3].sh_size = sizes[i];
		section[3].sh_offset = 0x4000;
		write_file(path, image, sizeof(image));
		assert_int_equal(truncate(path, 10ull << 30), 0);
		assert_int_equal(load_file(path, &e), 0);
		assert_int_equal(elfsym_err(e), i ? 0 : -EFBIG);
		assert_string_equal(elfsym_find(e, 0x1500, &offset), "exported");
		assert_true(elfsym_memory(e) < 65536);
		elfsym_free(e);
	}
	unlink(path);
	assert_true(clock_mono() - from < 10 * SECOND);
	assert_true(peak_kb() - before < 300 << 10);
}

/* As many symbols as are allowed, all at one place, nested, or with one endless name. */
static void crowded(void **state)
{
	enum { N = 200000, TABLE = 0x3000, STRINGS = TABLE + N * sizeof(Elf64_Sym) };
	const size_t len = 8 << 20;
	u8 *image = malloc(STRINGS + len);
	Elf64_Shdr *section = (Elf64_Shdr *)(image + 0x2c00);
	Elf64_Phdr *segment = (Elf64_Phdr *)(image + 0x40);
	Elf64_Sym *sym = (Elf64_Sym *)(image + TABLE);
	u64 from = clock_mono(), offset;

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct elfsym *e;

		image_make(image, &(struct image_layout){ true, 0x1000, "x" }, symbols);
		segment[1].p_filesz = STRINGS - IMAGE_TEXT;
		section[1].sh_size = segment[1].p_filesz;
		section[2].sh_offset = TABLE;
		section[2].sh_size = N * sizeof(*sym);
		section[3].sh_offset = STRINGS;
		section[3].sh_size = len;
		memset(image + STRINGS, 'n', len);
		for (u32 i = 0; i < N; i++)
			sym[i] = (Elf64_Sym){ 1 + i * 40,
					      ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
					      0,
					      1,
					      0x1000 + (kind ? i : 0),
					      kind == 1 ? 2 * (N - i) : (u32)kind };
		assert_int_equal(elfsym_load_mem(&e, image, STRINGS + len), 0);
		assert_true(elfsym_memory(e) < N * 16 + len + (64 << 10));
		for (u32 i = 0; i < 200000; i++)
			elfsym_find(e, 0x1000 + i * 23, &offset);
		elfsym_free(e);
	}
	free(image);
	assert_true(clock_mono() - from < 15 * SECOND);
}

static int make_dir(void **state)
{
	(void)state;
	return !mkdtemp(dir);
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts),
		cmocka_unit_test(own_functions),
		cmocka_unit_test(stripped),
		cmocka_unit_test(own_copy_stripped),
		cmocka_unit_test(loaded_deleted_unloaded),
		cmocka_unit_test(exited_after_capture),
		cmocka_unit_test(exited_before),
		cmocka_unit_test(vdso_and_areas),
		cmocka_unit_test(replaced),
		cmocka_unit_test(written_over),
		cmocka_unit_test(shared_by_processes),
		cmocka_unit_test(many_files),
		cmocka_unit_test(damaged),
		cmocka_unit_test(lies),
		cmocka_unit_test(counts_elsewhere_and_open_strings),
		cmocka_unit_test(sparse),
		cmocka_unit_test(crowded),
	};

	if (argc > 1 && !strcmp(argv[1], "--wait"))
		return wait_for_end();
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
