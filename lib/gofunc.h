/*
 * The functions of a Go program that was stripped, as most are: its run-time's own table,
 * .gopclntab, stays and has their names. Of Go 1.18 and later.
 *
 * Source: Go's src/debug/gosym/pclntab.go and src/internal/abi/symtab.go (the format).
 */
#ifndef GOFUNC_H
#define GOFUNC_H

#include "elffunc.h"

/* Adds them; 0 too if it is no Go program, or of an older Go. -ENOEXEC, -EFBIG, -EIO, -ENOMEM. */
int gofunc_read(struct elffuncs *fs);

#endif
