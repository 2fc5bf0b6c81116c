/*
 * Control groups: from a path or a container's ID to what BPF compares, the id
 * of a cgroup of the unified hierarchy and its depth.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include "filter.h"

#define CGROUP_WHY 256

/*
 * Sets f->cgroup and f->cgroup_level from `path` (absolute, or below the cgroup2 mount) or, if that
 * is NULL, from the container's ID or name. 0, or -errno with one line in `why`.
 */
int cgroup_resolve(const char *path, const char *container, struct bcc_filter *f,
		   char why[CGROUP_WHY]);

/*
 * Parts of the above. cgroup_mount() finds where the mountinfo file says cgroup2 is; malloc'd.
 * cgroup_container() finds the folder below `root` that belongs to a container; malloc'd.
 */
char *cgroup_mount(const char *mountinfo, char why[CGROUP_WHY]);
char *cgroup_container(const char *root, const char *container, char why[CGROUP_WHY]);

#endif
