/* The numbers of 32-bit programs on a 64-bit kernel; apart from syscalls.c as the macros are the
 * same. */
#ifndef SYSCALLS_32_H
#define SYSCALLS_32_H

#include <stddef.h>

extern const char *const syscalls_32[];
extern const size_t syscalls_32_count; /* 0 where the headers do not tell */

#endif
