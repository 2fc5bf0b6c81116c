/*
 * An ELF file that may be anyone's: nothing in it is believed. Every offset is checked against the
 * file's size, it is read and never mapped (who truncates it meanwhile gets a short read, not our
 * SIGBUS), and the work is bounded by the limits below whatever the headers say.
 *
 * Source: the System V gABI, chapters 4 and 5 (64 and 32 bits, this machine's byte order). Headers
 * of 32 bits are widened.
 */
#ifndef ELFFILE_H
#define ELFFILE_H

#include <elf.h>
#include <stddef.h>

#include "types.h"

#define ELF_MAX_SECTIONS 65536u
#define ELF_MAX_SEGMENTS 4096u        /* program headers looked at */
#define ELF_MAX_LOADS    64u          /* of which PT_LOAD */
#define ELF_MAX_SCANNED  (4u << 20)   /* entries of one symbol table */
#define ELF_MAX_STRINGS  (256u << 20) /* bytes of one string table */
#define ELF_MAX_CONTENT  (16u << 20)  /* of one section that is read whole */

/* What is loaded where; `size` bytes of the file. */
struct elf_loads {
	struct elf_load {
		u64 offset, size, addr;
		bool exec;
	} at[ELF_MAX_LOADS];
	u32 n;
};

struct elf_file {
	int fd;
	const u8 *image; /* instead of fd */
	u64 size;
	bool wide; /* of 64 bits */
	u16 machine;
	Elf64_Ehdr header;
	Elf64_Shdr *sections; /* after elf_read_sections() */
	u32 nsections;
	Elf64_Phdr *segments; /* after elf_read_segments() */
	u32 nsegments;
	struct elf_loads loads;
};

/*
 * fd: a regular file open for reading; stays the caller's, as the image does. Of the functions that
 * return int: -ENOEXEC not ELF of this machine's byte order, or damaged; -EFBIG over a limit; -EIO,
 * -ENOMEM. elf_close() is for after errors, too.
 */
int elf_open(struct elf_file *f, int fd);
int elf_open_mem(struct elf_file *f, const void *image, size_t size);
int elf_read_sections(struct elf_file *f);
int elf_read_segments(struct elf_file *f);
void elf_close(struct elf_file *f);

int elf_read(const struct elf_file *f, u64 offset, void *to, u64 len);

/* The first section of that name; -ENOENT: there is none. */
int elf_section(const struct elf_file *f, const char *name, const Elf64_Shdr **s);
/* What stands in it, malloc'd. */
int elf_content(const struct elf_file *f, const Elf64_Shdr *s, u8 **data);

#define ELF_BUILD_ID 32 /* bytes, at most; 20 as a rule */

/* The build-id: its length, 0 if there is none that can be read. Segments must have been read. */
u32 elf_build_id(const struct elf_file *f, u8 id[ELF_BUILD_ID]);

/* The strings of a symbol table, malloc'd, with one NUL more than the file has. */
int elf_strings(const struct elf_file *f, const Elf64_Shdr *symbols, char **strings, u64 *len);
/* Calls each(symbol, arg) for the entries of a symbol table, as long as it returns 0. */
int elf_symbols(const struct elf_file *f, const Elf64_Shdr *symbols,
		int (*each)(Elf64_Sym *s, void *arg), void *arg);
bool elf_is_function(const Elf64_Sym *s);
/* The first section of this type, or NULL. */
const Elf64_Shdr *elf_section_of_type(const struct elf_file *f, u32 type);

/* Between offsets in the file and addresses as linked. False: it is not loaded from the file. */
bool elf_address_of(const struct elf_loads *loads, u64 offset, u64 *addr);
bool elf_offset_of(const struct elf_loads *loads, u64 addr, u64 *offset);
/* The executable load that holds an address, or NULL. */
const struct elf_load *elf_code_at(const struct elf_loads *loads, u64 addr);

#endif
