// Two thousand functions in a hundred chains of twenty, each chain a stack of its own: names to
// find.
#include "work.h"
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, noipa))

static volatile long keep;

FRAME static void leaf(void)
{
	syscall(SYS_getppid);
	keep++;
}

#define F(chain, n, next)                                                                          \
	FRAME static void frames_##chain##_##n(void)                                               \
	{                                                                                          \
		next();                                                                            \
		keep++;                                                                            \
	}
#define G(chain, n, next) F(chain, n, frames_##chain##_##next)
// clang-format would put each call on a line.
// clang-format off
#define CHAIN(chain)                                                                               \
	F(chain, 0, leaf)                                                                          \
	G(chain, 1, 0) G(chain, 2, 1) G(chain, 3, 2) G(chain, 4, 3) G(chain, 5, 4)                 \
	G(chain, 6, 5) G(chain, 7, 6) G(chain, 8, 7) G(chain, 9, 8) G(chain, 10, 9)                \
	G(chain, 11, 10) G(chain, 12, 11) G(chain, 13, 12) G(chain, 14, 13) G(chain, 15, 14)       \
	G(chain, 16, 15) G(chain, 17, 16) G(chain, 18, 17) G(chain, 19, 18)
#define CALL(chain) frames_##chain##_19();
#define TEN(what, n)                                                                               \
	what(n##0) what(n##1) what(n##2) what(n##3) what(n##4)                                     \
	what(n##5) what(n##6) what(n##7) what(n##8) what(n##9)
#define HUNDRED(what)                                                                              \
	TEN(what, 0) TEN(what, 1) TEN(what, 2) TEN(what, 3) TEN(what, 4)                           \
	TEN(what, 5) TEN(what, 6) TEN(what, 7) TEN(what, 8) TEN(what, 9)

HUNDRED(CHAIN)
// clang-format on

WORK(frames, "N: so often a getppid below each of a hundred chains of twenty functions; then stays")
{
	for (long i = number(argc, argv, 1, 1); i > 0; i--) {
		// clang-format off
		HUNDRED(CALL)
		// clang-format on
	}
	printf("pid %d\n", getpid());
	fflush(stdout);
	pause();
	return 0;
}
