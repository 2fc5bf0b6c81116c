// Functions without frame pointers (test/CMakeLists.txt): their stacks cannot be walked by them.
#include "work.h"
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, noipa))

static volatile long keep;

FRAME long work_bare_leaf(void)
{
#ifdef __x86_64__
	long result = SYS_getppid;

	// The register of frame pointers is any other here, and what is in it leads nowhere.
	__asm__ volatile("push %%rbp; mov $1, %%ebp; syscall; pop %%rbp"
			 : "+a"(result)
			 :
			 : "rcx", "r11", "memory");
#else
	syscall(SYS_getppid);
#endif
	return keep++;
}

FRAME long work_bare_top(void)
{
	return work_bare_leaf() + keep++;
}

WORK(bare, "N: so often a getppid, in functions without frame pointers")
{
	long count = number(argc, argv, 1, 10);

	for (long i = 0; i < count; i++)
		work_bare_top();
	printf("pid %d calls %ld\n", getpid(), count);
	return 0;
}
