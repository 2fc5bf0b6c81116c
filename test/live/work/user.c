// What user probes are tested on: functions with known names, arguments and numbers of calls, and
// USDT probes with every form of operand and semaphore.
#include "sdt.h"
#include "work.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FUNCTION __attribute__((noinline, noipa))

struct work_user {
	int id;
	char name[16];
	struct work_user *next;
};

static volatile long keep; // so that no call is a tail call, and none is left out

FUNCTION int work_user_add(int a, int b)
{
	return a + b;
}

FUNCTION unsigned long work_user_name(const char *name)
{
	return strlen(name) + keep * 0;
}

FUNCTION int work_user_struct(struct work_user *user)
{
	return user->id + user->next->id;
}

FUNCTION static long work_user_static(unsigned char small, short negative, uint64_t large)
{
	return small + negative + (long)large;
}

FUNCTION long work_user_recurse(long depth)
{
	return depth ? work_user_recurse(depth - 1) + 1 + keep * 0 : 0;
}

FUNCTION void work_user_sleep(long us)
{
	nanosleep(&(struct timespec){ us / 1000000, us % 1000000 * 1000 }, NULL);
	keep++;
}

/* As Go names functions: package and name. */
FUNCTION int work_go(int v) __asm__("os.Work");

int work_go(int v)
{
	return v + 1;
}

WORK(user,
     "N [US]: N rounds of a call of work_user_add(I, 1000), two of work_user_name(\"user I\"), "
     "one of work_user_struct, work_user_static, work_user_recurse(3) and os.Work, and a sleep of "
     "US microseconds in work_user_sleep")
{
	long count = number(argc, argv, 1, 1), us = number(argc, argv, 2, 0), sum = 0;

	for (long i = 0; i < count; i++) {
		struct work_user second = { 7, "second", NULL }, first = { i, "first", &second };
		char name[32];

		snprintf(name, sizeof(name), "user %ld", i);
		sum += work_user_add(i, 1000);
		sum += work_user_name(name) + work_user_name(name);
		sum += work_user_struct(&first);
		sum += work_user_static(200, -300, 5000000000);
		sum += work_user_recurse(3);
		sum += work_go(i) - i - 1;
		if (us)
			work_user_sleep(us);
	}
	printf("pid %d rounds %ld sum %ld\n", getpid(), count, sum);
	return 0;
}

SEMAPHORE(work_semaphore);
SEMAPHORE(work_semaphore_1);
SEMAPHORE(work_semaphore_2);
SEMAPHORE(work_semaphore_3);

int work_global = -9;
struct {
	int first, second;
} work_globals = { 1, -22 };

// Twelve arguments of round I: -1 - I, 200 + I (as chars), -300, 60000, -70000 - I, 4000000000,
// -5000000000, 10000000001 + I % 3, -9, -3, 171, "round I". The probe globals has -9, -22, -22.
FUNCTION static void forms(long i, const char *text)
{
	static const uint64_t table[] = { 10000000000, 10000000001, 10000000002, 10000000003 };
	volatile int64_t memory = -5000000000;
	volatile short negative = -300;

	keep += memory + negative;
#ifdef __x86_64__
	PROBE("forms", "0",
	      "-1@%[a] 1@%[b] -2@%[c] 2@%[d] -4@%[e] 4@%[f] -8@%[g] 8@8(%[base],%[index],8) "
	      "-4@work_global(%%rip) -8@$-3 1@%%ah 8@%[text]",
	      [a] "c"((signed char)(-1 - i)), [b] "d"((unsigned char)(200 + i)), [c] "m"(negative),
	      [d] "r"((unsigned short)60000), [e] "r"((int)(-70000 - i)), [f] "i"(4000000000u),
	      [g] "m"(memory), [base] "r"(table), [index] "r"(i % 3),
	      "a"(171 << 8 | 5), [text] "r"(text));
	PROBE("globals", "0",
	      "-4@work_global(%%rip) -4@4+work_globals(%%rip) -4@work_globals+4(%%rip)");
#else
	PROBE("forms", "0",
	      "-1@%w[a] 1@%w[b] -2@%[c] 2@%w[d] -4@%w[e] 4@%[f] -8@%[g] 8@[%[base], %[index]] "
	      "-4@%w[h] -8@-3 1@%w[k] 8@%[text]",
	      [a] "r"((signed char)(-1 - i)), [b] "r"((unsigned char)(200 + i)), [c] "m"(negative),
	      [d] "r"((unsigned short)60000), [e] "r"((int)(-70000 - i)), [f] "i"(4000000000u),
	      [g] "m"(memory), [base] "r"(table), [index] "r"((i % 3 + 1) * 8),
	      [h] "r"(work_global), [k] "r"(171), [text] "r"(text));
	PROBE("globals", "0", "-4@[%[one]] -4@[%[more], 4] -4@[%[more], 4]",
	      [one] "r"(&work_global), [more] "r"(&work_globals));
#endif
}

// One probe, inlined into many places: each has its own operand, and here its own semaphore.
#define MANY(semaphore, value) PROBE("many", semaphore, "-8@%[v]", [v] "r"((long)(value)))

FUNCTION static void many(long i)
{
	MANY("work_semaphore_1", i);
	keep++;
	MANY("work_semaphore_2", i + 1000);
	keep++;
	MANY("work_semaphore_3", i + 2000);
}

WORK(usdt,
     "N [US]: N rounds of the probes work:plain, work:forms, work:many (three times, each with a "
     "semaphore of its own) and work:guarded, the last only while its semaphore is not 0, then US "
     "microseconds of sleep; how often each semaphore was seen above 0, and what it is at last")
{
	long count = number(argc, argv, 1, 1), us = number(argc, argv, 2, 0), seen[4] = {};

	for (long i = 0; i < count; i++) {
		char text[32];

		snprintf(text, sizeof(text), "round %ld", i);
		PROBE("plain", "0", "");
		forms(i, text);
		many(i);
		if (work_semaphore) {
			seen[0]++;
			PROBE("guarded", "work_semaphore",
			      "-8@%[i] 8@%[text]", [i] "r"(i), [text] "r"(text));
		}
		seen[1] += work_semaphore_1 > 0;
		seen[2] += work_semaphore_2 > 0;
		seen[3] += work_semaphore_3 > 0;
		if (us)
			usleep(us);
	}
	printf("pid %d rounds %ld seen %ld seen1 %ld seen2 %ld seen3 %ld last %d last1 %d\n",
	       getpid(), count, seen[0], seen[1], seen[2], seen[3], work_semaphore,
	       work_semaphore_1);
	return 0;
}
