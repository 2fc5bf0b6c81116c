/*
 * What is known of an address. ksyms.h and usyms.h fill it, one way of writing it
 * down is here, so that a frame looks the same in a stack, a column and a flame graph.
 */
#ifndef SYM_H
#define SYM_H

#include "buf.h"

enum sym_kind {
	SYM_NONE, /* nothing: print the address */
	SYM_KERNEL,
	SYM_FILE, /* in a mapped file */
	SYM_VDSO,
	SYM_AREA, /* in executable memory without a file: JIT code, [vsyscall] */
};

struct sym {
	enum sym_kind kind;
	const char *name;   /* NULL: the address lies in no known symbol */
	const char *module; /* "[ext4]", NULL for the kernel proper; a path; "[vdso]", "[anon]" */
	u64 offset;         /* from the symbol's start; without a name, `address` */
	u64 address;        /* SYM_FILE, SYM_VDSO: as nm and addr2line have it, or the offset in
			       the file if err; SYM_AREA: from the area's start */
	const u8 *build_id; /* NULL: none */
	u32 build_id_len;
	const char *file; /* of the source, without folders; NULL: not known, or not asked for */
	u32 line;
	int err; /* why the module has no symbols, -errno: -ESTALE its file was replaced, -ENOEXEC
		    not ELF or damaged, -EFBIG over a limit; 0 they were read */
};

/*
 * Appends "name", "name+0x1f", with its line "name (file.c:12)" or, without a name,
 * "libc.so.6+0x2345", "[vdso]+0x12",
 * "[unknown]". Names come from files anyone may have written: show them by buf_safe().
 */
void sym_text(struct buf *b, const struct sym *sym, bool offset);

/* Of two names for one address, is a the better to show: fewer leading underscores, shorter. */
bool sym_better(const char *a, const char *b);

#endif
