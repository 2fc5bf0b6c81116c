/* BPF objects linked into this binary, found by name. */
#ifndef OBJECT_H
#define OBJECT_H

#include <stddef.h>
#include <bpf/libbpf.h>

/*
 * Unpacks and opens an object. NULL with errno. Its relocations are resolved when it is loaded:
 * from the file `btf`, or if that is NULL from what the caller writes to *btf_fd before
 * (kbtf_prefetch()); *btf_fd is -1 if libbpf has to read the kernel's BTF itself.
 */
struct bpf_object *object_open(const char *name, const char *btf, int *btf_fd);

/*
 * Families share programs whose functions differ: SEC("fentry/fs_read") is of a stand-in, and
 * object_stand_in() says for which function. Whoever asks for a program's section asks
 * object_section(): the name with the function put in.
 */
struct stand_in {
	const char *name, *function;
};
void object_stand_in(const char *name, const char *function);
const char *object_section(const struct bpf_program *prog);

/*
 * Sets the constant `var` of .rodata, by its BTF; only possible before the object is loaded.
 * -ENOENT: no such variable; -EMSGSIZE: the two sides disagree on its size.
 */
int object_set(struct bpf_object *obj, const char *var, const void *value, size_t size);

/*
 * The variable `var` of .bss, as memory that is shared with the programs; only once the object is
 * loaded. NULL if there is none, or before Linux 5.5, which cannot share it.
 */
void *object_var(struct bpf_object *obj, const char *var);

/* Copies the variable's value of now, on every kernel. 0 or -errno. */
int object_get(struct bpf_object *obj, const char *var, void *value, size_t size);

/* Calls each() for every object in the binary. */
void object_each(void (*each)(const char *name, void *ctx), void *ctx);

#endif
