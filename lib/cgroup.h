/*
 * Control groups: from a path or a container's ID to what BPF compares, the id
 * of a cgroup of the unified hierarchy and its depth.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include "filter.h"

#define CGROUP_WHY 256

/*
 * Sets f->cgroup and f->cgroup_level from `path` (a folder of cgroup2, or a path below its mount)
 * or, if that is NULL, from the container's ID or name. 0, or -errno with one line in `why`.
 */
int cgroup_resolve(const char *path, const char *container, struct bcc_filter *f,
		   char why[CGROUP_WHY]);

/* Where cgroup2 is mounted. */
struct cgroup_mount {
	char *path;
	u32 level; /* depth of the cgroup mounted there; ~0 if that is not known */
};

/* Parts of the above: what the text of a mountinfo(5) says; a container's folder below `root`. */
int cgroup_mount(const char *mountinfo, struct cgroup_mount *mount, char why[CGROUP_WHY]);
int cgroup_container(const char *root, const char *container, char **path, char why[CGROUP_WHY]);

#endif
