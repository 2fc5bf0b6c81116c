/*
 * What a process has mapped, and its files, opened so that nothing it does can lead elsewhere: by
 * what is mapped, or beneath its own root and in its mount namespace. Only regular files are
 * opened.
 *
 * Source: proc(5), openat2(2).
 */
#ifndef MAPS_H
#define MAPS_H

#include <sys/stat.h>

#include "types.h"

struct map {
	u64 start, end, offset; /* offset: in the file */
	bool exec;
	u64 dev, ino;     /* ino 0: no file */
	const char *path; /* as the process sees it, as the kernel escapes it; "[vdso]", "" */
};

/*
 * Calls each() for the mappings of a process, by address, as long as it returns 0; returns what it
 * returned last. -ESRCH: there is no such process, or it has no memory (any more); -EACCES,
 * -ENOMEM.
 */
int maps_each(u32 pid, int (*each)(const struct map *m, void *arg), void *arg);

/*
 * A descriptor of the mapped file with which nothing but stat() can be done, so that opening has no
 * effects whatever is there. -ESTALE: the file of that name is another by now; -ENOEXEC: it is no
 * regular file.
 */
int maps_locate(u32 pid, const struct map *m, struct stat *st);

/*
 * The same for an absolute path as the process (0: this one) sees it; links are followed, below its
 * root. -ENOSYS: this kernel cannot (before Linux 5.6).
 */
int root_locate(u32 pid, const char *path, struct stat *st);
int root_folder(u32 pid, const char *path); /* a folder, open for reading */

/* Opens for reading what was located. */
int located_open(int located);

#endif
