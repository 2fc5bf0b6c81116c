// work-deep LIBRARY N US: waits for a line, sleeps once in its own code, loads the library and has
// it sleep N times for US microseconds, says "done" and waits for the end of its input.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long (*outer)(long us), n, us;
	char line[16];
	void *library;

	printf("pid %d\n", getpid());
	fflush(stdout);
	if (argc < 4 || !fgets(line, sizeof(line), stdin))
		return 2;
	usleep(300000);
	library = dlopen(argv[1], RTLD_NOW);
	outer = library ? (long (*)(long))dlsym(library, "deep_outer") : NULL;
	if (!outer) {
		fprintf(stderr, "work-deep: %s\n", dlerror());
		return 1;
	}
	n = atol(argv[2]);
	us = atol(argv[3]);
	while (n--)
		outer(us);
	puts("done");
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) != NULL;
}
