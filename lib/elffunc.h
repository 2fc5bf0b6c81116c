/*
 * The functions of an ELF file, by .symtab and .dynsym: to find those that a name or pattern means,
 * and the places in them that a user probe may be put on. A probe in the middle of an instruction
 * destroys the program, and the kernel does not look: whoever probes elsewhere than at a function's
 * start asks here first.
 */
#ifndef ELFFUNC_H
#define ELFFUNC_H

#include "elffile.h"

#define ELFFUNC_MAX      (2u << 20) /* symbols of functions */
#define ELFFUNC_MAX_NAME 4096u      /* longer names are cut */
#define ELFFUNC_MAX_CODE (4u << 20) /* bytes of one function that are looked through */

/* A symbol; several may have one address, or one name. */
struct elffunc {
	u64 addr, size; /* as linked; where the symbol has no size, up to the next one */
	u32 name;       /* in `names`, without its version */
	u8 rank;        /* of two at one address, the better known */
	bool ifunc;     /* the code at addr chooses the function (STT_GNU_IFUNC), it is not it */
};

struct elffuncs {
	struct elf_file *file;
	struct elffunc *at; /* by address; at one address the largest, then best known first */
	u32 n;
	char *names;
	u64 names_len;
	int err; /* why a symbol table was left out: -ENOEXEC, -EFBIG; 0 */
};

/*
 * file: its segments are read already, and it is used until elffuncs_free(). A damaged or oversized
 * table costs its symbols only: see err. Returns -ENOMEM, or 0.
 */
int elffuncs_read(struct elffuncs *fs, struct elf_file *file);
void elffuncs_free(struct elffuncs *fs);

/* Adds what .symtab of another file says of the same code, as its debug file does. As above. */
int elffuncs_add(struct elffuncs *fs, struct elf_file *other);
/* Adds one that no table has; after the last of them they must be sorted. */
int elffuncs_add_one(struct elffuncs *fs, u64 addr, u64 size, const char *name);
void elffuncs_sort(struct elffuncs *fs);

/*
 * Adds those of the separate debug file, if one is installed (/usr/lib/debug/.build-id): a stripped
 * file names only what it exports. True: there are more now.
 */
bool elffuncs_read_debug(struct elffuncs *fs);
const char *elffunc_name(const struct elffuncs *fs, const struct elffunc *f);
/* The function's place in the file, which is what the kernel's user probes are given. */
u64 elffunc_offset(const struct elffuncs *fs, const struct elffunc *f);

/*
 * The functions whose name, or that of an alias, match() says yes to: each address once, by
 * address, under the best of the names that matched. *found is malloc'd. Returns their number, or
 * -ENOMEM.
 */
int elffuncs_match(const struct elffuncs *fs, bool (*match)(const char *name, void *arg), void *arg,
		   const struct elffunc ***found);

/*
 * Whether a probe can be put `offset` bytes into the function: -ERANGE it is outside, -EILSEQ
 * within an instruction, -EOPNOTSUPP no telling (an instruction or a machine not known), -EFBIG,
 * -EIO.
 */
int elffunc_check(const struct elffuncs *fs, const struct elffunc *f, u64 offset);

/* Where a function returns: offsets into it of all its return instructions. */
struct elffunc_returns {
	u64 *at; /* malloc'd */
	u32 n;
	u32 jumps; /* that leave the function, or may: what they lead to returns in its place */
};

/* -EOPNOTSUPP, -EFBIG, -EIO, -ENOMEM: as above. */
int elffunc_returns(const struct elffuncs *fs, const struct elffunc *f, struct elffunc_returns *r);

/*
 * A Go program moves its stacks, return addresses included: a return probe (uretprobe) destroys it.
 * Probe the places of elffunc_returns() there. The file's sections must have been read.
 */
bool elf_is_go(const struct elf_file *f);

#endif
