/*
 * The kernel's variables by name, and what is at an address: the global locks, counters and so on.
 * Source: /proc/kallsyms, lines of types b, d and r, which it has with CONFIG_KALLSYMS_ALL only.
 */
#ifndef KDATA_H
#define KDATA_H

#include "buf.h"

/* 0 and *addr, or -ENOENT, -EPERM if addresses are hidden, another -errno. Reads the whole file. */
int kdata_address(const char *name, u64 *addr);

/*
 * The name of what is at `addr`, "name+0x10" if it is within; the address itself, in hex, if no
 * variable of the kernel proper holds it: most memory is allocated. The names are read once.
 */
void kdata_name(struct buf *b, u64 addr);

#endif
