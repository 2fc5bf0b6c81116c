/*
 * The functions of an ELF file, where it is loaded and its build-id: what is needed to
 * name an address, and no more. The file may be anyone's: see elffile.h.
 */
#ifndef ELFSYM_H
#define ELFSYM_H

#include <stddef.h>

#include "types.h"

struct elfsym;

/* Where the file was met: its debug file is sought there, too. */
struct elfsym_from {
	u32 pid;          /* as that process sees it; 0: not elsewhere than here */
	const char *path; /* NULL: its debug file is known by the build-id only */
	bool lines;       /* lines of source are wanted */
};

/*
 * Reads .symtab and .dynsym, its debug file or .gnu_debugdata if it has no .symtab, and stubs of
 * the PLT ("malloc@plt"). fd: a regular file open for reading; stays the caller's. -ENOEXEC not ELF
 * for this machine's byte order, or damaged in its headers; -EIO, -ENOMEM. A damaged or oversized
 * symbol table costs its symbols only: see elfsym_err().
 */
int elfsym_load(struct elfsym **e, int fd, const struct elfsym_from *from);
/* The same without a debug file. */
int elfsym_load_mem(struct elfsym **e, const void *image, size_t size);
void elfsym_free(struct elfsym *e);

int elfsym_err(const struct elfsym *e); /* why a symbol table was left out: -ENOEXEC, -EFBIG; 0 */
size_t elfsym_memory(const struct elfsym *e);
u32 elfsym_count(const struct elfsym *e);
const u8 *elfsym_build_id(const struct elfsym *e, u32 *len); /* NULL: none */

/* Offset in the file to address as linked, through PT_LOAD. False: it is not loaded. */
bool elfsym_address(const struct elfsym *e, u64 file_offset, u64 *addr);

/*
 * The function that holds an address as linked, and how far in. NULL: none does. A function
 * without a size reaches to the next one, within its section.
 */
const char *elfsym_find(const struct elfsym *e, u64 addr, u64 *offset);

/* The line of source of an address as linked, and its file without folders; NULL: not known. */
const char *elfsym_line(const struct elfsym *e, u64 addr, u32 *line);

#endif
