/*
 * Where the symbols of a stripped file are: in a file of their own, found by the build-id or by the
 * name in .gnu_debuglink; or a small part of them, compressed, in .gnu_debugdata. What is found may
 * be anyone's, as the file itself: it must have the same build-id, or the checksum that the link
 * asks for.
 *
 * Source: GDB's manual, "Debugging Information in Separate Files" and "MiniDebugInfo"; gABI,
 * "Section Compression".
 */
#ifndef DEBUGFILE_H
#define DEBUGFILE_H

#include "elffile.h"

/* Another folder like /usr/lib/debug, looked at before it; NULL: none. The string is kept. */
void debugfile_dir(const char *dir);

/*
 * Opens the debug file of `file`, whose sections and segments were read: below the folders here
 * and, if pid is not 0, as that process sees them; beside `path`, the name under which it sees the
 * file (NULL: only by build-id). Returns its descriptor, with *debug open and its sections read, or
 * -ENOENT.
 */
int debugfile_open(struct elf_file *debug, const struct elf_file *file, u32 pid, const char *path);

/*
 * What .gnu_debugdata holds: an ELF image, malloc'd. -ENOENT: nothing; -ENOEXEC damaged; -EFBIG;
 * -ENOMEM; -EOPNOTSUPP: this build has no liblzma.
 */
int debugdata_read(const struct elf_file *file, u8 **image, size_t *size);

/*
 * The content of a section of debug information, decompressed if it is; malloc'd. -EFBIG: over
 * `max` bytes; otherwise as elf_content().
 */
int debugfile_section(const struct elf_file *file, const char *name, u64 max, u8 **data, u64 *size);

#endif
