/*
 * How to leave a function whose code keeps no frame pointer: the call frame information that
 * compilers write for exceptions. It is anyone's: nothing in it is believed, and the work for an
 * address is bounded by the bytes of one entry.
 *
 * Source: LSB Core 5.0, 10.6 (.eh_frame, .eh_frame_hdr); DWARF 4, 6.4 and 2.5; registers: the
 * x86-64 psABI, 3.6.2, and DWARF for the Arm 64-bit Architecture, 4.1 and 4.4.
 */
#ifndef EHFRAME_H
#define EHFRAME_H

#include <stdbool.h>

#include "elffile.h"

#define CFI_REGS      33u         /* those of either machine that matter here */
#define EHFRAME_BYTES (64u << 20) /* of .eh_frame, at most */
#define EHFRAME_TABLE (8u << 20)  /* functions in .eh_frame_hdr, at most */

/* What a machine's registers are called in there. */
struct cfi_machine {
	u16 elf; /* EM_... */
	u32 sp;
	u64 code; /* the bits of a return address that are one: the others may sign it */
};

const struct cfi_machine *cfi_machine(u16 elf); /* NULL: not known */

enum cfi_how {
	CFI_SAME, /* as it is; also what nothing is said of */
	CFI_UNDEFINED,
	CFI_OFFSET,     /* saved at the CFA + value */
	CFI_VAL_OFFSET, /* is the CFA + value */
	CFI_REGISTER,   /* is in another */
	CFI_EXPR,       /* saved where an expression says */
	CFI_VAL_EXPR,   /* is what an expression says */
};

struct cfi_rule {
	enum cfi_how how;
	u32 reg, len;
	s64 value;
	const u8 *expr; /* `len` bytes of the file */
};

/* How all registers of the caller are found, at one address. */
struct cfi_row {
	struct cfi_rule cfa; /* CFI_REGISTER: it is `reg` + value; or CFI_VAL_EXPR */
	struct cfi_rule reg[CFI_REGS];
	u32 ra;      /* the register that is the return address */
	bool signal; /* the caller was interrupted here: it made no call */
	bool sealed; /* arm64: the return address is signed */
};

struct ehframe {
	const struct cfi_machine *machine;
	u8 *hdr, *frames; /* what is read: the header from its address on, and the entries */
	u64 hdr_addr, hdr_size, addr, size;
	u32 count;
};

/*
 * From a file whose segments have been read (elf_read_segments()), and its sections if it can be a
 * static program, which has no .eh_frame_hdr. 0; -ENOENT it has no such information; -ENOTSUP
 * another machine, or no sorted table in the header; -ENOEXEC damaged; -ENOMEM.
 * ehframe_free() is only needed after 0.
 */
int ehframe_load(struct ehframe *e, const struct elf_file *f);
void ehframe_free(struct ehframe *e);

/* For an address as linked. 0; -ENOENT nothing is said of it; -ENOEXEC damaged. */
int ehframe_find(const struct ehframe *e, u64 addr, struct cfi_row *row);

struct cfi_regs {
	u64 value[CFI_REGS], pc;
	u64 known; /* bit n: value[n] is */
};

/* Reads 8 bytes of the stack; false: it is not there. */
typedef bool cfi_read(void *ctx, u64 addr, u64 *value);

/*
 * From a function's registers to its caller's. 0; 1: there is no caller; -EFAULT what is needed
 * cannot be read; -ENOEXEC no sense in it. On errors the registers are undefined.
 */
int cfi_step(const struct cfi_machine *m, const struct cfi_row *row, struct cfi_regs *regs,
	     cfi_read *read, void *ctx);

#endif
