/*
 * BTF of the running kernel, read in passing: which functions, tracepoints and
 * types it has, by name. The file is scanned, not kept, as it is several
 * megabytes and most runs ask for a handful of names.
 * Format: Documentation/bpf/btf.rst, include/uapi/linux/btf.h.
 */
#ifndef KBTF_H
#define KBTF_H

#include <stdbool.h>

#include "types.h"

/* BTF_KIND_*, include/uapi/linux/btf.h */
enum kbtf_kind { KBTF_STRUCT = 4, KBTF_UNION = 5, KBTF_TYPEDEF = 8, KBTF_FUNC = 12 };

bool kbtf_available(void);

/* The id of the type with that name and kind in vmlinux; 0 if there is none, or -errno. */
int kbtf_id(const char *name, enum kbtf_kind kind);

/*
 * Looks up many names at once: one pass over the file instead of one for each. What is found, and
 * what is not, is remembered for kbtf_id().
 */
struct kbtf_name {
	const char *name;
	enum kbtf_kind kind;
};
void kbtf_prefetch(const struct kbtf_name *names, int n);

/*
 * The module that has a function of that name, with the function's id in the module's BTF; NULL if
 * no loaded module has it. The string is the library's.
 */
const char *kbtf_module(const char *function, int *id);

#endif
