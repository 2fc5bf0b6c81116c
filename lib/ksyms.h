/*
 * Names for kernel addresses, and back. The table is read when it is first asked for
 * and kept in 16 bytes a symbol and its name: runs that never show a stack never open it.
 *
 * Source: /proc/kallsyms, lines of "ADDRESS TYPE NAME[\t[MODULE]]", of which those of
 * types t, T, w and W name code; the others only say where code ends. It lists modules,
 * BPF programs and ftrace's trampolines too.
 */
#ifndef KSYMS_H
#define KSYMS_H

#include "sym.h"

struct ksyms;

/* path NULL is /proc/kallsyms. Opens nothing yet. NULL: out of memory. */
struct ksyms *ksyms_new(const char *path);
void ksyms_free(struct ksyms *ks);

/*
 * Reads the table if that was not done. 0, or always the same -errno: -EPERM if the
 * kernel hides addresses (all are zero), -ENOENT if there is no such file, -ENODATA
 * if it names no code, -EFBIG if it is absurdly long.
 */
int ksyms_load(struct ksyms *ks);

/* What ksyms_load() said; 0 if nobody asked. */
int ksyms_err(const struct ksyms *ks);

/* What stands behind ksyms_load()'s error, in words to print after "no kernel symbols: ". */
const char *ksyms_why(const struct ksyms *ks);

/*
 * Fills *sym for an address. -ENOENT if no symbol holds it, or ksyms_load()'s error:
 * then *sym is SYM_NONE and can still be printed. Strings live as long as ks.
 */
int ksyms_find(struct ksyms *ks, u64 addr, struct sym *sym);

/* The same for a return address: what called is just before it. */
int ksyms_find_call(struct ksyms *ks, u64 addr, struct sym *sym);

/*
 * How many functions have this name, at different addresses, and in *addr the lowest.
 * module: "[ext4]"; "" the kernel proper; NULL anywhere. -errno as above, or -ENOENT.
 * Scans the table: about a millisecond.
 */
int ksyms_address(struct ksyms *ks, const char *name, const char *module, u64 *addr);

/* Functions known and bytes held, for tests and --verbose; 0 before the table is read. */
u32 ksyms_count(const struct ksyms *ks);
size_t ksyms_memory(const struct ksyms *ks);

#endif
