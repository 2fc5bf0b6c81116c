// Code that is made while the program runs, and written down for perf as runtimes do.
#include "work.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void nap(void)
{
	struct timespec t = { 0, 3000000 };

	syscall(SYS_nanosleep, &t, NULL);
}

WORK(jit, "N [map]: N sleeps below a function made in memory, named in its perf map; until its "
	  "input ends")
{
	static const unsigned char code[] = {
#ifdef __x86_64__
		0x55, 0x48, 0x89, 0xe5, // push %rbp; mov %rsp, %rbp
		0xff, 0xd7,             // call *%rdi
		0x5d, 0xc3,             // pop %rbp; ret
#else
		0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, // stp x29, x30, [sp, #-16]!
		0x00, 0x00, 0x3f, 0xd6,                         // blr x0
		0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6,
#endif
	};
	long count = number(argc, argv, 1, 1);
	bool named = *text(argc, argv, 2, "");
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char path[32], line[16];
	FILE *map;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	map = named ? fopen(path, "w") : NULL;
	if (page == MAP_FAILED || (named && !map))
		fail("jit");
	memcpy(page + 64, code, sizeof(code));
	__builtin___clear_cache(page, page + 4096);
	if (map) {
		// Out of order, with junk between, and what was there before.
		fprintf(map, "%lx 40 after_all\n\xff\xfe junk\n%lx %zx old_code\n",
			(long)page + 256, (long)page + 64, sizeof(code));
		fprintf(map, "%lx %zx Jitted::code(int)\n", (long)page + 64, sizeof(code));
		fclose(map);
	}
	while (count--)
		((void (*)(void (*)(void)))(page + 64))(nap);
	puts("done");
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) != NULL;
}
