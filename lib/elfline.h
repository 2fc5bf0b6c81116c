/*
 * Lines of source by address, of a file that has debug information: .debug_line of DWARF 2 to 5.
 * The file may be anyone's: time and memory are bounded by its size and the limits in elfline.c.
 *
 * Source: DWARF 5, section 6.2 and 7.22; DWARF 4 for versions below.
 */
#ifndef ELFLINE_H
#define ELFLINE_H

#include "elffile.h"

struct elfline;

/*
 * Of `f`, whose sections were read. -ENOENT: it has none; -EFBIG; -ENOMEM. What is damaged is left
 * out.
 */
int elfline_load(struct elfline **l, const struct elf_file *f);
int elfline_load_mem(struct elfline **l, const u8 *line, u64 size, const u8 *line_str, u64 line_len,
		     const u8 *str, u64 str_len);
void elfline_free(struct elfline *l);

/* The file, without folders, and line of an address as linked; NULL: not known. */
const char *elfline_find(const struct elfline *l, u64 addr, u32 *line);

size_t elfline_memory(const struct elfline *l);

#endif
