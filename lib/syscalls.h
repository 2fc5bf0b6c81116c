/*
 * Names of system calls: those of the compiler's headers (asm/unistd.h), and newer ones, whose
 * numbers are the same on every architecture since Linux 5.1 (arch/x86/entry/syscalls,
 * scripts/syscall.tbl).
 */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#include <stdbool.h>

#include "buf.h"

/* NULL if it has none that is known here. `is_32`: a number of 32-bit programs. */
const char *syscall_name(int number, bool is_32);

/* The number, -1 if there is no such call. */
int syscall_number(const char *name, bool is_32);

/* The names of this architecture's calls, a line each, sorted. */
void syscall_list(struct buf *b);

#endif
