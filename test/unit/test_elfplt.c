/* elfplt: every stub of this program has the name of what it leads to, as the dynamic linker says.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "elfplt.h"

static u64 loaded_at;

static int first(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size, (void)arg;
	loaded_at = info->dlpi_addr;
	return 1;
}

/* The entry of the global offset table that a stub of x86-64 jumps through. */
static void *target(u64 addr)
{
	const u8 *p = (u8 *)(loaded_at + addr);
	s32 distance;

	for (int i = 0; i < 12; i++)
		if (p[i] == 0xff && p[i + 1] == 0x25) {
			memcpy(&distance, p + i + 2, 4);
			return *(void **)(p + i + 6 + distance);
		}
	return NULL;
}

static void own_stubs(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), stubs = 0, checked = 0;
	struct elf_file f;
	struct elffuncs fs;

	(void)state;
	dl_iterate_phdr(first, NULL);
	assert_int_equal(elf_open(&f, fd), 0);
	assert_int_equal(elf_read_segments(&f), 0);
	assert_int_equal(elffuncs_read(&fs, &f), 0);
	assert_int_equal(elfplt_read(&fs), 0);
	for (u32 i = 0; i < fs.n; i++) {
		char name[512];
		char *at;

		snprintf(name, sizeof(name), "%s", fs.names + fs.at[i].name);
		at = strstr(name, "@plt");
		if (!at)
			continue;
		*at = '\0';
		stubs++;
		assert_true(fs.at[i].size >= 8 && fs.at[i].size <= 64);
#ifdef __x86_64__
		if (dlsym(RTLD_DEFAULT, name) == target(fs.at[i].addr))
			checked++;
		else
			print_message("%s\n", name);
#endif
	}
	assert_true(stubs > 20);
#ifdef __x86_64__
	assert_int_equal(checked, stubs);
#endif
	elffuncs_free(&fs);
	elf_close(&f);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_stubs),
	};

	/* So that the dynamic linker fills in the whole table before us. */
	if (!getenv("LD_BIND_NOW") && !setenv("LD_BIND_NOW", "1", 1))
		execl("/proc/self/exe", "test_elfplt", NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
