/*
 * The procedure linkage table: the stubs through which a file calls the functions of others. No
 * symbol names them; what a stub jumps through has a relocation, and that the function's name.
 *
 * Source: System V ABI, supplements for x86-64, i386 and AArch64.
 */
#ifndef ELFPLT_H
#define ELFPLT_H

#include "elffunc.h"

/* Adds "malloc@plt" and the like, and sorts. What is damaged is left out. -ENOMEM, or 0. */
int elfplt_read(struct elffuncs *fs);

#endif
