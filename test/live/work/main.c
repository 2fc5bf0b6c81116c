// work NAME ARGS...: do one of the workloads. `work` alone lists them.
// `work -w NAME ARGS...` prints "pid N" and waits for a line on stdin first, so that a tracer can
// be pointed at its pid.
#include "work.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern const struct work *const __start_works[], *const __stop_works[];

void fail(const char *what)
{
	fprintf(stderr, "work: %s: %s\n", what, strerror(errno));
	exit(1);
}

const char *text(int argc, char **argv, int index, const char *otherwise)
{
	if (index < argc)
		return argv[index];
	if (!otherwise) {
		fprintf(stderr, "work: %s: argument %d is missing\n", argv[0], index);
		exit(2);
	}
	return otherwise;
}

long number(int argc, char **argv, int index, long otherwise)
{
	char *end;
	long value;

	if (index >= argc)
		return otherwise;
	value = strtol(argv[index], &end, 0);
	if (*end || end == argv[index]) {
		fprintf(stderr, "work: %s: not a number: %s\n", argv[0], argv[index]);
		exit(2);
	}
	return value;
}

long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	const struct work *const *work;

	argc--;
	argv++;
	if (argc && !strcmp(argv[0], "-w")) {
		char line[16];

		argc--;
		argv++;
		printf("pid %d\n", getpid());
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			return 1;
	}
	for (work = __start_works; work < __stop_works; work++) {
		if (!argc)
			printf("%-14s %s\n", (*work)->name, (*work)->usage);
		else if (!strcmp((*work)->name, argv[0]))
			return (*work)->run(argc, argv);
	}
	if (argc)
		fprintf(stderr, "work: no workload %s\n", argv[0]);
	return 2;
}
