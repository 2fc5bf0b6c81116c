/*
 * BTF of the running kernel, read in passing: which functions, tracepoints and
 * types it has, by name. The file, some five megabytes, is kept only while it is
 * scanned, or not at all: libbpf would hold it twice, for good.
 * Format: Documentation/bpf/btf.rst, include/uapi/linux/btf.h.
 */
#ifndef KBTF_H
#define KBTF_H

#include <stdbool.h>

#include "types.h"

struct btf;

/* BTF_KIND_*, include/uapi/linux/btf.h */
enum kbtf_kind { KBTF_STRUCT = 4, KBTF_UNION = 5, KBTF_TYPEDEF = 8, KBTF_FUNC = 12 };

struct kbtf_name {
	const char *name;
	enum kbtf_kind kind;
};

bool kbtf_available(void);

/* The id of the type with that name and kind in vmlinux; 0 if there is none, or -errno. */
int kbtf_id(const char *name, enum kbtf_kind kind);

/*
 * Looks up many names at once, in one pass over the file; what is found, and what is not, is
 * remembered for kbtf_id(). In the same pass, if `local` is not NULL, what the relocations of an
 * object with that BTF can ask for is written to the file descriptor `fd` as BTF of its own: the
 * kernel's types that are called as one in `local`, with the members that are called as one there.
 * That suffices for libbpf (btf_custom_path), which matches by name. Without kernel BTF it is
 * empty. 0 or -errno.
 */
int kbtf_prefetch(const struct kbtf_name *names, int n, const struct btf *local, int fd);

/* Writes to `fd` what kbtf_prefetch() would if the kernel had no BTF. 0 or -errno. */
int kbtf_none(int fd);

/*
 * Whether libbpf, which believes what it reads, may be given the file: BTF, raw or in ELF, whose
 * references all lead somewhere and whose chains of typedefs end. 0, -EINVAL, or -errno of reading.
 */
int kbtf_check(const char *file);

/*
 * The module that has a function of that name, with the function's id in the module's BTF; NULL if
 * no loaded module has it. The string is the library's.
 */
const char *kbtf_module(const char *function, int *id);

#endif
