/*
 * The functions of an ELF file, where it is loaded and its build-id: what is needed to
 * name an address, and no more. The file may be anyone's, so nothing in it is believed:
 * every offset is checked against the file's size, it is read and never mapped (who
 * truncates it meanwhile gets a short read, not our SIGBUS), and the work is bounded by
 * the limits below whatever the headers say.
 *
 * Source: the System V gABI, chapters 4 and 5 (64 and 32 bits, this machine's byte order).
 */
#ifndef ELFSYM_H
#define ELFSYM_H

#include <stddef.h>

#include "types.h"

#define ELFSYM_MAX_SECTIONS 65536u
#define ELFSYM_MAX_SEGMENTS 4096u        /* program headers looked at */
#define ELFSYM_MAX_LOADS    64u          /* of which PT_LOAD */
#define ELFSYM_MAX_SCANNED  (4u << 20)   /* entries of one symbol table */
#define ELFSYM_MAX_SYMBOLS  (2u << 20)   /* functions kept */
#define ELFSYM_MAX_STRINGS  (256u << 20) /* bytes of one string table */
#define ELFSYM_MAX_NAME     4096u        /* longer names are cut */

struct elfsym;

/*
 * Reads .symtab and .dynsym. fd: a regular file open for reading; stays the caller's.
 * -ENOEXEC not ELF for this machine's byte order, or damaged in its headers; -EIO, -ENOMEM.
 * A damaged or oversized symbol table costs its symbols only: see elfsym_err().
 */
int elfsym_load(struct elfsym **e, int fd);
int elfsym_load_mem(struct elfsym **e, const void *image, size_t size); /* the image is copied */
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

/*
 * The first section of that name. `data` is malloc'd, NULL if none was asked for; more than
 * ELFSYM_MAX_CONTENT is -EFBIG. -ENOENT: there is none; else errors as above.
 */
#define ELFSYM_MAX_CONTENT (16u << 20)

struct elf_section {
	u8 *data;
	u64 size, addr;
	bool wide; /* the file is of 64 bits */
};

int elf_section(int fd, const char *name, bool content, struct elf_section *s);
int elf_section_mem(const void *image, size_t size, const char *name, bool content,
		    struct elf_section *s);

#endif
