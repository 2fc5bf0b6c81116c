/*
 * Which code an indirect function (STT_GNU_IFUNC: strlen, memcpy, ...) stands for. The dynamic
 * linker calls a resolver once, which chooses by the processor, and keeps the answer where an
 * IRELATIVE relocation says. A probe on the resolver would never fire: here the answer is looked up
 * in a process that has the file mapped; on one machine all have the same.
 *
 * Source: the System V psABI of x86-64 and AArch64 (IRELATIVE), proc(5).
 */
#ifndef IFUNC_H
#define IFUNC_H

#include "elffunc.h"

/*
 * f: its segments and sections have been read. dev, ino: the file's. pid 0: any process. *addr: as
 * linked. -ENOENT: nothing in the file keeps the answer; -ESRCH: no process that can be read has
 * the file mapped.
 */
int ifunc_resolve(const struct elf_file *f, u64 dev, u64 ino, u64 resolver, u32 pid, u64 *addr);

#endif
