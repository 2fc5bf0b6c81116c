// Values that are hard to show: addresses, and strings where memory ends.
#include "work.h"
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUNCTION __attribute__((noinline, noipa))
#define PAGE     4096

static volatile long keep; // so that no call is left out

FUNCTION void work_value_v6(const void *address)
{
	keep += *(const char *)address;
}

FUNCTION void work_value_v4(const void *address)
{
	keep += *(const char *)address;
}

FUNCTION void work_value_text(const char *text)
{
	keep += *text;
}

WORK(addresses, "ADDRESS...: work_value_v6() or work_value_v4() with the address of each")
{
	for (int i = 1; i < argc; i++) {
		char address[16];

		if (inet_pton(AF_INET6, argv[i], address) == 1)
			work_value_v6(address);
		else if (inet_pton(AF_INET, argv[i], address) == 1)
			work_value_v4(address);
	}
	printf("pid %d\n", getpid());
	return 0;
}

WORK(strings, "LENGTH...: work_value_text() with a string of that many letters, which ends where "
	      "memory does; "
	      "then with 300 letters that nothing ends")
{
	char *memory =
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *end = memory + 3 * PAGE;

	if (memory == MAP_FAILED || mprotect(end, PAGE, PROT_NONE))
		err(1, "mmap");
	for (int i = 1; i < argc; i++) {
		long length = number(argc, argv, i, 1);

		memset(memory, 0, 3 * PAGE);
		for (long at = 0; at < length; at++)
			end[at - length - 1] = 'a' + at % 26;
		work_value_text(end - length - 1);
	}
	memset(memory, 'x', 3 * PAGE);
	work_value_text(end - 300);
	printf("pid %d\n", getpid());
	return 0;
}
