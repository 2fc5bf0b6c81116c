/*
 * The kernel's variables by name. Source: /proc/kallsyms, lines of types b, d and r, which it has
 * with CONFIG_KALLSYMS_ALL only.
 */
#ifndef KDATA_H
#define KDATA_H

#include "types.h"

/* 0 and *addr, or -ENOENT, -EPERM if addresses are hidden, another -errno. Reads the whole file. */
int kdata_address(const char *name, u64 *addr);

#endif
