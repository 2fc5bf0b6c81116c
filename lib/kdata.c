#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kdata.h"

/* A line of kallsyms: "ffffffff8248f4c0 D vm_zone_stat", a tab and "[module]" behind those of
 * modules. */
static bool names(const char *line, const char *name, unsigned long long *addr)
{
	char type, found[256];

	return !strchr(line, '[') && sscanf(line, "%llx %c %255s", addr, &type, found) == 3 &&
	       strchr("bBdDrR", type) && !strcmp(found, name);
}

int kdata_address(const char *name, u64 *addr)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long found = 0;
	int err = -ENOENT;
	char line[512];

	if (!f)
		return -errno;
	while (err == -ENOENT && fgets(line, sizeof(line), f))
		if (names(line, name, &found))
			err = found ? 0 : -EPERM;
	fclose(f);
	*addr = found;
	return err;
}
