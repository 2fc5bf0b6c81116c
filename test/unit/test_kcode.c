/* kcode: which code comes by its first instruction again. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "probe/kcode.h"

/* The code, with breakpoints after it as between the kernel's functions. */
static bool loops(const char *bytes, size_t n)
{
	u8 code[64];

	memset(code, 0xcc, sizeof(code));
	memcpy(code, bytes, n);
	return code_begins_loop(EM_X86_64, code, sizeof(code));
}

#define LOOPS(bytes) loops(bytes, sizeof(bytes) - 1)

static void tells(void **state)
{
	(void)state;
	/* xor %eax,%eax; ret */
	assert_false(LOOPS("\x31\xc0\xc3"));
	/* 1: dec %rdi; jne 1b; ret */
	assert_true(LOOPS("\x48\xff\xcf\x75\xfb\xc3"));
	/* xor %eax,%eax; 1: dec %rdi; jne 1b; ret: the loop is behind the first instruction */
	assert_false(LOOPS("\x31\xc0\x48\xff\xcf\x75\xfb\xc3"));
	/* 1: test %rdi,%rdi; je 2f; mov (%rdi),%rdi; jmpq 1b, of 32 bits; 2: ret */
	assert_true(LOOPS("\x48\x85\xff\x74\x08\x48\x8b\x3f\xe9\xf3\xff\xff\xff\xc3"));
	/* push %rbx; jmp to it, which would be no loop but a full stack */
	assert_false(LOOPS("\x53\xeb\xfd"));
	assert_false(LOOPS("\x41\x54\xeb\xfc"));
	assert_false(LOOPS("\x48\x83\xec\x10\xeb\xfa"));
	/* No instruction: who knows. */
	assert_true(LOOPS("\x31\xc0\x06"));
}

static void without_core(void **state)
{
	struct kcode none = { .fd = -1 };

	(void)state;
	assert_true(kcode_begins_loop(&none, 0xffffffff81000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells),
		cmocka_unit_test(without_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
