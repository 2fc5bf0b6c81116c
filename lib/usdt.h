/*
 * USDT probes of an ELF file: what its section .note.stapsdt tells, and where each is. The file may
 * be anyone's: nothing in it is believed, strings are not made safe for a terminal.
 * Format: sourceware.org/systemtap/wiki/UserSpaceProbeImplementation.
 */
#ifndef USDT_H
#define USDT_H

#include <stdbool.h>
#include <stddef.h>

#include "operand.h"

#define USDT_MAX_SITES   (1u << 18)
#define USDT_MAX_SYMBOLS 1024u /* that operands name; those of more are not understood */

/*
 * One place in the code. Addresses are as linked, those of nm(1); offsets are in the file, which is
 * what the kernel's user probes are given. The semaphore is a counter of 16 bits that the program
 * looks at before it prepares the arguments.
 */
struct usdt_site {
	const char *provider, *name, *args; /* args: "8@%rdi -4@12(%rsp)" */
	u64 address, semaphore;             /* semaphore: 0 is none */
	u64 offset, semaphore_offset;       /* 0: it is not loaded from the file */
};

struct usdt {
	struct usdt_site *sites; /* by provider, name, address */
	u32 n;
	u16 machine;                 /* whose registers args tell of: EM_X86_64, ... */
	u8 *notes;                   /* what the strings are in */
	bool fixed;                  /* linked to where it runs (ET_EXEC) */
	struct usdt_symbol *symbols; /* that operands name, by name */
	u32 nsymbols;
};

/* -ENOENT: no probes; -ENOEXEC: no ELF file, or damaged; -EFBIG, -ENOMEM, -EIO. A damaged note ends
 * the list. */
int usdt_load(struct usdt *u, int fd);
int usdt_load_mem(struct usdt *u, const void *image, size_t size);
void usdt_free(struct usdt *u);

/* How many of the sites from `first` on are of one probe: same provider and name. */
u32 usdt_same(const struct usdt *u, u32 first);

/* The next of a site's arguments: its text and length; false at the end. *args moves on. */
bool usdt_arg(const char **args, const char **arg, size_t *len);

/*
 * Where that argument is, symbols resolved. False: *why says what it is that is not understood, a
 * fixed text.
 */
bool usdt_operand(const struct usdt *u, const struct usdt_site *s, const char *arg, size_t len,
		  struct operand *o, const char **why);

#endif
