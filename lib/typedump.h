/*
 * Values of the kernel's types as text, the way C would initialize them, by libbpf's btf_dump:
 *
 *	(struct path){
 *	 .dentry = (struct dentry *)0xffff9895440dc120,
 *	}
 *
 * Members that are zero are left out.
 */
#ifndef TYPEDUMP_H
#define TYPEDUMP_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

struct typedump;

/*
 * The types of the running kernel, or of `file`, which kbtf_check() has accepted; and of a module,
 * if not NULL. 0 or -errno.
 */
int typedump_open(struct typedump **d, const char *file, const char *module);
void typedump_close(struct typedump *d);

/*
 * `size` bytes of a value: what of the type is behind them is left out, with "..." in its place.
 * Its number is that of expr_type_id(). `indent`: a line a member, so many blanks before each;
 * negative: all in one line.
 */
void typedump_value(struct typedump *d, struct buf *b, u32 type, const void *value, size_t size,
		    int indent);

/* "int tcp_connect(struct sock *sk)". 0 or -ENOENT. */
int typedump_function(struct typedump *d, struct buf *b, const char *name);

#endif
