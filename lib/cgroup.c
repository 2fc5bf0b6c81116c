#include <errno.h>
#include <stdio.h>

#include "cgroup.h"

int cgroup_resolve(const char *path, const char *container, struct bcc_filter *f,
		   char why[CGROUP_WHY])
{
	(void)f;
	snprintf(why, CGROUP_WHY, "not supported yet: %s", path ?: container);
	return -ENOTSUP;
}
