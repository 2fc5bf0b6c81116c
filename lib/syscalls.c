#include <stdlib.h>
#include <string.h>
#include <asm/unistd.h>

#include "syscalls.h"
#include "syscalls_32.h"
#include "util.h"

static const char *const native[] = {
#include "syscall_names.inc"
};

/* Since the headers of Linux 6.1. */
static const char *const newer[] = {
	[451] = "cachestat",         [452] = "fchmodat2",        [453] = "map_shadow_stack",
	[454] = "futex_wake",        [455] = "futex_wait",       [456] = "futex_requeue",
	[457] = "statmount",         [458] = "listmount",        [459] = "lsm_get_self_attr",
	[460] = "lsm_set_self_attr", [461] = "lsm_list_modules", [462] = "mseal",
	[463] = "setxattrat",        [464] = "getxattrat",       [465] = "listxattrat",
	[466] = "removexattrat",
};

const char *syscall_name(int number, bool is_32)
{
	size_t n = is_32 ? syscalls_32_count : ARRAY_SIZE(native);
	const char *const *names = is_32 ? syscalls_32 : native;

	if (number < 0)
		return NULL;
	if ((size_t)number < n && names[number])
		return names[number];
	return (size_t)number < ARRAY_SIZE(newer) ? newer[number] : NULL;
}

int syscall_number(const char *name, bool is_32)
{
	for (int i = 0; i < 1024; i++) {
		const char *known = syscall_name(i, is_32);

		if (known && !strcmp(known, name))
			return i;
	}
	return -1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void syscall_list(struct buf *b)
{
	const char *names[1024] = { NULL };
	int n = 0;

	for (int i = 0; i < 1024; i++)
		if (syscall_name(i, false))
			names[n++] = syscall_name(i, false);
	qsort(names, n, sizeof(*names), by_name);
	for (int i = 0; i < n; i++)
		buf_fmt(b, "%s\n", names[i]);
}
