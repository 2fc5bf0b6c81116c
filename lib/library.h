/*
 * The file in which a user probe is, from what people write: a path; the short name of a library,
 * as the linker's -lNAME has it (c, pthread, ssl), or its file name (libc.so.6); a program of
 * $PATH. For a process it is what that process has mapped, and else what it would find below its
 * own root.
 *
 * The name goes through text that others wrote (ld.so.cache, linker scripts, names in folders of a
 * container): all of it is bounded, and no path leads out of the process's root.
 *
 * Source: glibc's sysdeps/generic/dl-cache.h (the format of ld.so.cache), ld.so(8), ld's manual
 * ("Implicit Linker Scripts").
 */
#ifndef LIBRARY_H
#define LIBRARY_H

#include "buf.h"

struct library {
	char *path; /* to show: as the process, or we, see it; not made safe for a terminal */
	int fd;     /* open for reading: an ELF file. /proc/self/fd/N is what the kernel is given */
	u64 dev, ino;
};

/*
 * pid 0: no process. On failure `why` tells the cause and what can be done, without a newline;
 * -ENOENT, -ENOEXEC no ELF file, -ESRCH no such process, -EACCES, -EINVAL, ...
 */
int library_open(struct library *l, const char *name, u32 pid, struct buf *why);
void library_close(struct library *l);

/*
 * Calls each() for every ELF file that a process has mapped, once, as long as it returns 0; returns
 * what it returned last, or a negative errno with `why`. The library is each()'s to keep or close.
 * If files could not be opened, `why` tells so after 0, too; it is empty otherwise.
 */
int library_mapped(u32 pid, int (*each)(struct library *l, void *arg), void *arg, struct buf *why);

/*
 * The file that ld.so.cache has for a library: the newest of its versions that this CPU can run,
 * for this machine if there is one. NULL: none. Points into the cache, which must end in a NUL.
 */
const char *ldcache_find(const char *cache, size_t size, const char *name);

/* Whether a file name is one of the library or program: libc.so.6, libc-2.31.so for c. */
bool library_is_named(const char *file, size_t len, const char *name);

#endif
