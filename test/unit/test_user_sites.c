/* The user side of the resolver, on this program itself: functions, offsets, USDT probes, errors.
 */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../live/work/sdt.h"
#include "probe/resolve.h"

static volatile int sink;

SEMAPHORE(site_semaphore);
int site_global = 3;

__attribute__((noinline, noipa)) int site_target_one(int x)
{
	PROBE("one", "site_semaphore", "-4@%[x] -4@site_global(%%rip) 8f@%%xmm0", [x] "r"(x));
	return sink += x;
}

__attribute__((noinline, noipa)) int site_target_two(int x)
{
	PROBE("two", "0", "");
	PROBE("two", "0", "8@$5");
	return sink -= x;
}

static char self[4096];

/* Where in this program's file an address of it is. */
static int find_offset(struct dl_phdr_info *info, size_t size, void *arg)
{
	u64 *addr = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum && !*info->dlpi_name; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		u64 start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && *addr - start < p->p_filesz) {
			*addr = *addr - start + p->p_offset;
			return 1;
		}
	}
	return 0;
}

static u64 offset_of(const volatile void *p)
{
	u64 addr = (u64)p;

	assert_int_equal(dl_iterate_phdr(find_offset, &addr), 1);
	return addr;
}

/* Adds "KIND:" self ":NAME". */
static int add(struct sites *s, const char *kind, const char *name, u32 pid, struct spec_error *err)
{
	char text[8192];
	struct spec spec;
	int ret;

	snprintf(text, sizeof(text), "%s:%s:%s", kind, self, name);
	assert_int_equal(spec_parse(&spec, text, false, err), 0);
	ret = sites_add(s, &spec, pid, err);
	spec_free(&spec);
	return ret;
}

static void functions(void **state)
{
	struct sites s = {};
	struct spec_error err;

	(void)state;
	assert_int_equal(add(&s, "p", "site_target_one", 0, &err), 0);
	assert_int_equal(add(&s, "r", "site_target_two", getpid(), &err), 0);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.at[0].kind, SPEC_ENTRY);
	assert_string_equal(s.at[0].name, "site_target_one");
	assert_int_equal(s.at[0].offset, offset_of(site_target_one));
	assert_int_equal(s.at[1].kind, SPEC_RETURN);
	assert_int_equal(s.at[1].offset, offset_of(site_target_two));
	assert_false(s.at[1].at_ret);
	assert_ptr_equal(s.at[0].in, s.at[1].in); /* the file is open once */
	assert_int_equal(add(&s, "p", "site_target_*", 0, &err), 0);
	assert_int_equal(s.n, 4);
	sites_free(&s);
}

static void refused(void **state)
{
	struct sites s = {};
	struct spec_error err;

	(void)state;
	assert_int_equal(add(&s, "p", "site_target_oen", 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, "did you mean 'site_target_one'?"));
	assert_int_equal(add(&s, "p", "nothing_like_it_*", 0, &err), -ENOENT);
	assert_int_equal(add(&s, "p", "site_target_one+0x100000", 0, &err), -ERANGE);
	assert_non_null(strstr(err.text, "not that long"));
	assert_int_equal(add(&s, "u", "nothing", 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no such USDT probe"));
	assert_int_equal(add(&s, "p", "site_target_one", 4194304, &err), -ESRCH);
	assert_non_null(strstr(err.text, "no such process"));
	assert_int_equal(s.n, 0);
	sites_free(&s);
}

/* Somewhere in its first instructions an offset is none's start: some of them are longer than a
 * byte. */
static void offsets(void **state)
{
	struct sites s = {};
	struct spec_error err;
	int starts = 0, within = 0;

	(void)state;
#ifndef __x86_64__
	skip();
#endif
	for (int i = 1; i < 16; i++) {
		char name[64];
		int ret;

		snprintf(name, sizeof(name), "site_target_one+%d", i);
		ret = add(&s, "p", name, 0, &err);
		assert_true(!ret || ret == -EILSEQ);
		starts += !ret;
		within += ret == -EILSEQ;
		if (!ret)
			assert_int_equal(s.at[s.n - 1].offset, offset_of(site_target_one) + i);
	}
	assert_true(starts && within);
	sites_free(&s);
}

static void usdt(void **state)
{
	struct sites s = {};
	struct spec_error err;
	const struct site_args *args;

	(void)state;
#ifndef __x86_64__
	skip();
#endif
	assert_int_equal(add(&s, "u", "work:one", 0, &err), 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.at[0].name, "work:one");
	assert_int_equal(s.at[0].kind, SPEC_USDT);
	assert_int_equal(s.at[0].semaphore, offset_of(&site_semaphore));
	assert_true(s.at[0].offset >= offset_of(site_target_one) &&
		    s.at[0].offset < offset_of(site_target_one) + 200);
	args = s.at[0].args;
	assert_int_equal(args->n, 3);
	assert_null(args->arg[0].why);
	assert_int_equal(args->arg[0].at.kind, OPERAND_REGISTER);
	assert_null(args->arg[1].why);
	assert_int_equal(args->arg[1].at.kind, OPERAND_MEMORY);
	/* From the probe on: this program is loaded as one piece. */
	assert_int_equal(args->arg[1].at.base, OPERAND_X86_IP);
	assert_null(args->arg[1].at.symbol);
	assert_int_equal(args->arg[1].at.value,
			 (s64)&site_global - (s64)site_target_one -
				 (s64)(s.at[0].offset - offset_of(site_target_one)));
	assert_non_null(strstr(args->arg[2].why, "floating"));
	assert_int_equal(add(&s, "u", "two", 0, &err), 0);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.at[1].args->n, 0);
	assert_int_equal(s.at[2].args->n, 1);
	assert_true(!s.at[1].semaphore && s.at[1].offset < s.at[2].offset);
	sites_free(&s);
}

/* Whatever a process has mapped. */
static void usdt_of_a_process(void **state)
{
	struct sites s = {};
	struct spec_error err;
	struct spec spec;

	(void)state;
	assert_int_equal(spec_parse(&spec, "u::work:one", false, &err), 0);
	assert_int_equal(sites_add(&s, &spec, 0, &err), -EINVAL);
	assert_int_equal(sites_add(&s, &spec, getpid(), &err), 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.at[0].in->library.path, self);
	spec_free(&spec);
	sites_free(&s);
}

/* What an indirect function stands for: libc is mapped here. */
static void indirect(void **state)
{
	struct sites s = {};
	struct spec_error err;
	struct spec spec;

	(void)state;
#if !defined(__x86_64__) || !defined(__GLIBC__)
	skip();
#endif
	assert_int_equal(spec_parse(&spec, "c:wcslen", false, &err), 0);
	if (sites_add(&s, &spec, getpid(), &err))
		fail_msg("%s", err.text);
	assert_int_equal(s.n, 1);
	spec_free(&spec);
	assert_int_equal(spec_parse(&spec, "c:gettimeofday", false, &err), 0);
	assert_int_equal(sites_add(&s, &spec, getpid(), &err), -ENOENT);
	assert_non_null(strstr(err.text, "vDSO"));
	spec_free(&spec);
	sites_free(&s);
}

/* What libc does not export is named by its debug file, where that is installed. */
static void debug_file(void **state)
{
	struct sites s = {};
	struct spec_error err;
	struct spec spec;
	int ret;

	(void)state;
	assert_int_equal(spec_parse(&spec, "c:_int_malloc", false, &err), 0);
	ret = sites_add(&s, &spec, 0, &err);
	spec_free(&spec);
	if (ret == -ENOENT)
		skip();
	assert_int_equal(ret, 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.at[0].name, "_int_malloc");
	sites_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions),         cmocka_unit_test(refused),
		cmocka_unit_test(offsets),           cmocka_unit_test(usdt),
		cmocka_unit_test(usdt_of_a_process), cmocka_unit_test(indirect),
		cmocka_unit_test(debug_file),
	};

	site_target_one(1);
	site_target_two(1);
	self[readlink("/proc/self/exe", self, sizeof(self) - 1)] = '\0';
	return cmocka_run_group_tests(tests, NULL, NULL);
}
