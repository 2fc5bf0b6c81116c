/*
 * Names for addresses of processes. What a process has mapped is remembered from the
 * first time it is asked for, so its addresses keep their names after it is gone; the
 * symbols of a file are read when an address falls in it, once for all its processes.
 *
 * The file meant is the one mapped: deleted, replaced or in another mount namespace, it is
 * opened through /proc/PID/map_files, else by its path below /proc/PID/root if that
 * still leads to the same device and inode. Only regular files are opened. Each file that
 * is mapped executable stays open until its symbols are read, up to a limit: while tracing,
 * the filesystem it is on counts as busy.
 *
 * Symbols of a stripped file come from its debug file (debugfile.h), of code that was made in
 * memory from the process's perf map (jitmap.h).
 *
 * Sources: proc(5), /proc/PID/maps and /proc/PID/stat; elfsym.h.
 */
#ifndef USYMS_H
#define USYMS_H

#include "sym.h"

struct usyms;

struct usyms *usyms_new(void); /* NULL: out of memory */
void usyms_free(struct usyms *us);

/*
 * Remembers what the process has mapped, unless it is known: call it for every event that
 * has a stack to be shown later, it is cheap then. pid is a thread group's, as /proc here
 * counts. 0; -ESRCH if the process is gone, a zombie or has no memory (kernel threads);
 * -EACCES or -EPERM if it is not ours to look at.
 */
int usyms_capture(struct usyms *us, u32 pid);

/*
 * The same, but reads again: call it after exec and mmap, or when the pid came to a new
 * process. What was mapped before still counts for addresses where nothing is now.
 */
int usyms_refresh(struct usyms *us, u32 pid);

/*
 * Fills *sym for an address, capturing the process if need be. 0 if the address is in
 * executable memory, be it without a name: see struct sym for what else is known then.
 * -ENOENT if it is not, or usyms_capture()'s error: then *sym is SYM_NONE, with err set.
 * Strings live as long as us.
 */
int usyms_find(struct usyms *us, u32 pid, u64 addr, struct sym *sym);

/*
 * The same for a return address: what called is just before it, and may be the last of its
 * function.
 */
int usyms_find_call(struct usyms *us, u32 pid, u64 addr, struct sym *sym);

/* From now on symbols have lines of source, where files have debug information: this costs much. */
void usyms_want_lines(struct usyms *us);

/*
 * Processes whose code has no names for want of a perf map, and what can be done: appends one such
 * sentence. False: there are no more than i.
 */
#define USYMS_HINTS 8
bool usyms_hint(const struct usyms *us, u32 i, struct buf *b);

/* Bytes held, and files whose symbols were read, for tests and --verbose. */
size_t usyms_memory(const struct usyms *us);
u32 usyms_files_read(const struct usyms *us);

#endif
