// A workload does something countable and says what it did, a line of `key value` pairs on stdout.
// Each file of this folder may hold several; WORK() registers one, there is no list to edit;
// a name that is taken already is a link error.
#ifndef WORK_H
#define WORK_H

#include <stddef.h>

struct work {
	const char *name;
	const char *usage;
	int (*run)(int argc, char **argv); // argv[0] is the workload's name; the exit code
};

#define WORK(id, usage)                                                                            \
	static int run_##id(int argc, char **argv);                                                \
	const struct work work_##id = { #id, usage, run_##id };                                    \
	static const struct work *const entry_##id                                                 \
		__attribute__((used, retain, section("works"))) = &work_##id;                      \
	static int run_##id(int argc, char **argv)

// The number in argv[index], or a default when there is none; a bad number ends the program.
long number(int argc, char **argv, int index, long otherwise);
const char *text(int argc, char **argv, int index, const char *otherwise);

// Microseconds on the monotonic clock.
long now_us(void);

// Ends the program with errno's message.
void fail(const char *what) __attribute__((noreturn));

#endif
