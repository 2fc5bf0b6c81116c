/* unwind: twenty functions without frame pointers, by themselves, below libc, below a signal. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <cmocka.h>

#include "unwind.h"
#include "usyms.h"

#pragma GCC optimize("omit-frame-pointer", "no-optimize-sibling-calls")

#define STEPS 20
#define BARE  __attribute__((noinline, noclone, noipa))

static struct unwind_sample sample;
static u8 stack[65536];
static void (*innermost)(void);
static volatile long keep;

static void copy(const ucontext_t *at, size_t size)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	u64 pt[34] = {};
	ssize_t got;

#ifdef __aarch64__
	memcpy(pt, at->uc_mcontext.regs, sizeof(at->uc_mcontext.regs));
	pt[31] = at->uc_mcontext.sp;
	pt[32] = at->uc_mcontext.pc;
	u64 sp = pt[31];
#else
	static const int order[] = { REG_R15, REG_R14, REG_R13, REG_R12, REG_RBP, REG_RBX, REG_R11,
				     REG_R10, REG_R9,  REG_R8,  REG_RAX, REG_RCX, REG_RDX, REG_RSI,
				     REG_RDI, REG_RAX, REG_RIP, REG_RIP, REG_EFL, REG_RSP };

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		pt[i] = at->uc_mcontext.gregs[order[i]];
	u64 sp = pt[19];
#endif
	got = pread(fd, stack, size, sp);
	close(fd);
	unwind_regs(&sample.regs, pt);
	sample.stack = stack;
	sample.size = got > 0 ? got : 0;
}

/* What is measured is a copy: the frame of who took it is gone when it is looked at. */
BARE static void take(void)
{
	ucontext_t here;

	getcontext(&here);
	copy(&here, sizeof(stack));
	keep++;
}

BARE static void step_0(void)
{
	innermost();
	keep++;
}

#define STEP(n, next)                                                                              \
	BARE static void step_##n(void)                                                            \
	{                                                                                          \
		char room[8 * n];                                                                  \
                                                                                                   \
		__asm__ volatile("" : : "r"(room) : "memory", "cc");                               \
		step_##next();                                                                     \
		keep++;                                                                            \
	}
STEP(1, 0)
STEP(2, 1)
STEP(3, 2)
STEP(4, 3)
STEP(5, 4)
STEP(6, 5)
STEP(7, 6)
STEP(8, 7)
STEP(9, 8)
STEP(10, 9)
STEP(11, 10)
STEP(12, 11)
STEP(13, 12)
STEP(14, 13)
STEP(15, 14)
STEP(16, 15)
STEP(17, 16)
STEP(18, 17)
STEP(19, 18)

static struct usyms *names;
static struct unwind *u;
static u64 ip[127];

static size_t walk(size_t room, enum unwind_end *end)
{
	return unwind(u, getpid(), &sample, ip, room, end);
}

static const char *name_of(size_t i)
{
	struct sym sym = {};

	usyms_find(names, getpid(), ip[i] - !!i, &sym);
	return sym.name ?: "";
}

/* All twenty from frame i on, in order. */
static void assert_steps(size_t i, size_t n)
{
	for (int step = 0; step < STEPS; step++) {
		char name[24];

		snprintf(name, sizeof(name), "step_%d", step);
		assert_true(i + step < n);
		assert_string_equal(name_of(i + step), name);
	}
}

static void assert_whole(size_t n, enum unwind_end end)
{
	assert_int_equal(end, UNWIND_WHOLE);
	assert_string_equal(name_of(n - 1), "_start");
	assert_string_equal(name_of(n - 4), "main");
}

static void test_functions(void **state)
{
	enum unwind_end end;
	size_t n;

	(void)state;
	innermost = take;
	step_19();
	n = walk(127, &end);
	assert_string_equal(name_of(0), "take");
	assert_steps(1, n);
	assert_string_equal(name_of(1 + STEPS), "test_functions");
	assert_whole(n, end);
}

/* The frames that are there are the same however little was copied. */
static void test_cut(void **state)
{
	u64 all[127];
	size_t whole, n, before = 0;
	enum unwind_end end;

	(void)state;
	innermost = take;
	step_19();
	whole = walk(127, &end);
	memcpy(all, ip, sizeof(all));
	for (sample.size = 0; before < whole && sample.size < sizeof(stack); sample.size += 8) {
		n = walk(127, &end);
		assert_true(n >= 1 && n >= before);
		assert_memory_equal(ip, all, n * sizeof(*ip));
		assert_int_equal(end, n == whole ? end : UNWIND_STACK);
		before = n;
	}
	assert_int_equal(before, whole);
	for (size_t room = 1; room < 10; room++) {
		assert_int_equal(walk(room, &end), room);
		assert_int_equal(end, UNWIND_ROOM);
	}
}

static void sleeper(void)
{
	struct itimerval soon = { .it_value.tv_usec = 20000 };
	struct timespec t = { 10, 0 };

	setitimer(ITIMER_REAL, &soon, NULL);
	nanosleep(&t, NULL); /* until the signal */
	keep++;
}

static void on_alarm(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	copy(context, sizeof(stack));
}

static void below_alarm(int sig)
{
	(void)sig;
	take();
	keep++;
}

/* Where the first frame of the name is; the frames before it are libc's. */
static size_t find_frame(const char *name, size_t n)
{
	size_t i = 0;

	while (i < n && strcmp(name_of(i), name))
		i++;
	assert_true(i < n);
	return i;
}

static void test_below_libc(void **state)
{
	struct sigaction act = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO };
	enum unwind_end end;
	size_t n, i;

	(void)state;
	sigaction(SIGALRM, &act, NULL);
	innermost = sleeper;
	step_19();
	n = walk(127, &end);
	i = find_frame("sleeper", n);
	assert_in_range(i, 1, 3); /* clock_nanosleep, nanosleep */
	assert_steps(i + 1, n);
	assert_whole(n, end);
}

static void test_below_signal(void **state)
{
	struct sigaction act = { .sa_handler = below_alarm };
	enum unwind_end end;
	size_t n, i;

	(void)state;
	sigaction(SIGALRM, &act, NULL);
	innermost = sleeper;
	step_19();
	n = walk(127, &end);
	assert_string_equal(name_of(0), "take");
	assert_string_equal(name_of(1), "below_alarm");
	i = find_frame("sleeper", n);
	assert_in_range(i, 4, 6); /* the signal's own frame, and libc's */
	assert_steps(i + 1, n);
	assert_whole(n, end);
}

static void test_nothing_known(void **state)
{
	enum unwind_end end;

	(void)state;
	sample.regs.pc = 4096;
	assert_int_equal(walk(127, &end), 1);
	assert_int_equal(end, UNWIND_CODE);
	assert_int_equal(unwind(u, 4194304, &sample, ip, 127, &end), 1); /* no such process */
	assert_int_equal(end, UNWIND_CODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),     cmocka_unit_test(test_cut),
		cmocka_unit_test(test_below_libc),    cmocka_unit_test(test_below_signal),
		cmocka_unit_test(test_nothing_known),
	};
	int failed;

	names = usyms_new();
	u = unwind_new();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unwind_free(u);
	usyms_free(names);
	return failed;
}
