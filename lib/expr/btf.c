/*
 * BTF is checked once, when it is loaded: every type lies within the file, with all that follows
 * it. What types refer to (numbers, strings, sizes) is checked where it is used.
 * Format: Documentation/bpf/btf.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elffile.h"
#include "expr/internal.h"
#include "util.h"

#define VMLINUX  "/sys/kernel/btf/vmlinux"
#define BTF_MAX  (64u << 20)
#define NAME_MAX 256

/* Bytes of a type with what follows struct btf_type; 0: a kind that is not known. */
static u64 type_bytes(const struct btf_type *t)
{
	static const struct {
		u8 known, fixed, each;
	} kinds[] = {
		[BTF_KIND_INT] = { 1, 4 },
		[BTF_KIND_PTR] = { 1 },
		[BTF_KIND_ARRAY] = { 1, sizeof(struct btf_array) },
		[BTF_KIND_STRUCT] = { 1, 0, sizeof(struct btf_member) },
		[BTF_KIND_UNION] = { 1, 0, sizeof(struct btf_member) },
		[BTF_KIND_ENUM] = { 1, 0, sizeof(struct btf_enum) },
		[BTF_KIND_FWD] = { 1 },
		[BTF_KIND_TYPEDEF] = { 1 },
		[BTF_KIND_VOLATILE] = { 1 },
		[BTF_KIND_CONST] = { 1 },
		[BTF_KIND_RESTRICT] = { 1 },
		[BTF_KIND_FUNC] = { 1 },
		[BTF_KIND_FUNC_PROTO] = { 1, 0, sizeof(struct btf_param) },
		[BTF_KIND_VAR] = { 1, sizeof(struct btf_var) },
		[BTF_KIND_DATASEC] = { 1, 0, sizeof(struct btf_var_secinfo) },
		[BTF_KIND_FLOAT] = { 1 },
		[BTF_KIND_DECL_TAG] = { 1, sizeof(struct btf_decl_tag) },
		[BTF_KIND_TYPE_TAG] = { 1 },
		[BTF_KIND_ENUM64] = { 1, 0, sizeof(struct btf_enum64) },
	};
	u32 kind = BTF_INFO_KIND(t->info);

	if (kind >= ARRAY_SIZE(kinds) || !kinds[kind].known)
		return 0;
	return sizeof(*t) + kinds[kind].fixed + (u64)BTF_INFO_VLEN(t->info) * kinds[kind].each;
}

/* Counts the types between two places, and notes where they are if there is room to. */
static int index_types(const u8 *data, u64 pos, u64 end, u32 *at)
{
	int n = 0;

	while (pos < end) {
		const struct btf_type *t = (const void *)(data + pos);
		u64 bytes = end - pos < sizeof(*t) ? 0 : type_bytes(t);

		if (!bytes || bytes > end - pos)
			return -EINVAL;
		if (at)
			at[n] = pos;
		n++;
		pos += bytes;
	}
	return n;
}

/* Takes over `data`, also if it is refused. */
static int add_part(struct expr_types *types, u8 *data, size_t size)
{
	struct btf_part *p = &types->part[types->nparts];
	const struct btf_header *h = (const void *)data;
	const struct expr_type **made;
	u64 type_pos, string_pos;
	int n = -EINVAL;

	if (types->nparts == ARRAY_SIZE(types->part)) {
		free(data);
		return -EBUSY;
	}
	if (size < sizeof(*h) || h->magic != BTF_MAGIC || h->version != BTF_VERSION ||
	    h->hdr_len < sizeof(*h))
		goto refuse;
	type_pos = (u64)h->hdr_len + h->type_off;
	string_pos = (u64)h->hdr_len + h->str_off;
	if (type_pos % 4 || type_pos + h->type_len > size || string_pos + h->str_len > size)
		goto refuse;
	/* The empty string comes first in the kernel's, and a module has those of the kernel. */
	if (h->str_len ? data[string_pos + h->str_len - 1] || (!types->nparts && data[string_pos])
		       : !types->nparts)
		goto refuse;
	n = index_types(data, type_pos, type_pos + h->type_len, NULL);
	if (n < 0)
		goto refuse;
	*p = (struct btf_part){
		.data = data,
		.strings = (const char *)data + string_pos,
		.strings_len = h->str_len,
		.at = xcalloc(n + 1, sizeof(u32)),
		.n = n,
		.first = 1,
	};
	if (types->nparts) {
		p->first = types->part[0].first + types->part[0].n;
		p->first_string = types->part[0].strings_len;
	}
	index_types(data, type_pos, type_pos + h->type_len, p->at);
	types->nparts++;
	made = xcalloc(p->first + n, sizeof(*made)); /* pages that are not touched cost nothing */
	for (u32 i = 0; types->nparts > 1 && i < p->first; i++)
		if (types->made[i])
			made[i] = types->made[i];
	free(types->made);
	types->made = made;
	return 0;
refuse:
	free(data);
	return n;
}

int expr_types_none(struct expr_types **types)
{
	*types = xcalloc(1, sizeof(**types));
	return 0;
}

static int types_of(struct expr_types **types, u8 *data, size_t size)
{
	int err;

	expr_types_none(types);
	err = add_part(*types, data, size);
	if (err) {
		expr_types_free(*types);
		*types = NULL;
	}
	return err;
}

static u8 *copy_of(const void *data, size_t size)
{
	return memcpy(xcalloc(1, size + 1), data, size);
}

int expr_types_load_mem(struct expr_types **types, const void *btf, size_t size)
{
	return types_of(types, copy_of(btf, size), size);
}

static u8 *btf_of_elf(int fd, size_t *size)
{
	const Elf64_Shdr *section;
	struct elf_file f;
	u8 *data = NULL;
	int err = elf_open(&f, fd);

	err = err ?: elf_read_sections(&f);
	err = err ?: elf_section(&f, ".BTF", &section);
	err = err ?: elf_content(&f, section, &data);
	if (!err)
		*size = section->sh_size;
	elf_close(&f);
	errno = -err;
	return data;
}

/* The contents of a file of BTF, or of the section of an ELF file; NULL with errno. */
static u8 *read_btf(const char *file, size_t *size)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), err;
	u16 magic = 0;
	u8 *data;

	if (fd < 0)
		return NULL;
	if (pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) && magic == BTF_MAGIC)
		data = (u8 *)read_fd(fd, BTF_MAX, size);
	else
		data = btf_of_elf(fd, size);
	err = errno;
	close(fd);
	errno = err;
	return data;
}

int expr_types_load(struct expr_types **types, const char *file)
{
	size_t size;
	u8 *data = read_btf(file ?: VMLINUX, &size);

	return data ? types_of(types, data, size) : -errno;
}

int expr_types_module(struct expr_types *types, const char *name)
{
	char file[512];
	size_t size;
	u8 *data;

	if (strchr(name, '/') || types->nparts != 1)
		return -EINVAL;
	snprintf(file, sizeof(file), "/sys/kernel/btf/%s", name);
	data = read_btf(file, &size);
	return data ? add_part(types, data, size) : -errno;
}

int expr_types_module_mem(struct expr_types *types, const void *btf, size_t size)
{
	return types->nparts != 1 ? -EINVAL : add_part(types, copy_of(btf, size), size);
}

void expr_types_free(struct expr_types *types)
{
	if (!types)
		return;
	for (int i = 0; i < types->nparts; i++) {
		free(types->part[i].data);
		free(types->part[i].at);
	}
	free(types->made);
	arena_free(&types->arena);
	free(types);
}

const struct btf_type *btf_type(const struct expr_types *types, u32 id)
{
	for (int i = 0; i < types->nparts; i++) {
		const struct btf_part *p = &types->part[i];

		if (id >= p->first && id - p->first < p->n)
			return (const void *)(p->data + p->at[id - p->first]);
	}
	return NULL;
}

const char *btf_string(const struct expr_types *types, u32 offset)
{
	for (int i = 0; i < types->nparts; i++) {
		const struct btf_part *p = &types->part[i];

		if (offset >= p->first_string && offset - p->first_string < p->strings_len)
			return p->strings + offset - p->first_string;
	}
	return "";
}

/* A name's offsets, in the kernel's strings and the module's: BTF holds a string once. 0: none. */
static bool find_string(const struct expr_types *types, const char *name, u32 offset[2])
{
	char key[NAME_MAX + 2] = {}; /* with the NUL of the string before */
	size_t len = strlen(name);

	offset[0] = offset[1] = 0;
	if (!len || len >= NAME_MAX)
		return false;
	memcpy(key + 1, name, len);
	for (int i = 0; i < types->nparts; i++) {
		const struct btf_part *p = &types->part[i];
		const char *found = memmem(p->strings, p->strings_len, key, len + 2);

		if (p->strings_len > len && !memcmp(p->strings, name, len + 1))
			offset[i] = p->first_string;
		else if (found)
			offset[i] = p->first_string + (found + 1 - p->strings);
	}
	return offset[0] || offset[1];
}

static bool same_string(const u32 offset[2], u32 found)
{
	return found && (found == offset[0] || found == offset[1]);
}

u32 btf_find(const struct expr_types *types, const char *name, u32 kinds)
{
	u32 offset[2];

	if (!find_string(types, name, offset))
		return 0;
	for (int i = types->nparts - 1; i >= 0; i--) { /* a module's own before the kernel's */
		const struct btf_part *p = &types->part[i];

		for (u32 j = 0; j < p->n; j++) {
			const struct btf_type *t = (const void *)(p->data + p->at[j]);

			if (same_string(offset, t->name_off) && kinds >> BTF_INFO_KIND(t->info) & 1)
				return p->first + j;
		}
	}
	return 0;
}

static bool value_in(const struct btf_type *t, const u32 offset[2], s64 *value)
{
	const struct btf_enum *e = (const void *)(t + 1);
	const struct btf_enum64 *e64 = (const void *)(t + 1);
	u32 n = BTF_INFO_VLEN(t->info);

	if (BTF_INFO_KIND(t->info) == BTF_KIND_ENUM)
		for (u32 i = 0; i < n; i++)
			if (same_string(offset, e[i].name_off)) {
				*value = e[i].val;
				return true;
			}
	if (BTF_INFO_KIND(t->info) == BTF_KIND_ENUM64)
		for (u32 i = 0; i < n; i++)
			if (same_string(offset, e64[i].name_off)) {
				*value = (u64)e64[i].val_hi32 << 32 | e64[i].val_lo32;
				return true;
			}
	return false;
}

bool btf_enumerator(const struct expr_types *types, const char *name, u32 *id, s64 *value)
{
	u32 offset[2];

	if (!find_string(types, name, offset))
		return false;
	for (int i = types->nparts - 1; i >= 0; i--) {
		const struct btf_part *p = &types->part[i];

		for (u32 j = 0; j < p->n; j++)
			if (value_in((const void *)(p->data + p->at[j]), offset, value)) {
				*id = p->first + j;
				return true;
			}
	}
	return false;
}

void btf_names(const struct expr_types *types, u32 kinds, void (*each)(void *ctx, const char *name),
	       void *ctx)
{
	for (int i = 0; i < types->nparts; i++)
		for (u32 j = 0; j < types->part[i].n; j++) {
			const struct btf_type *t =
				(const void *)(types->part[i].data + types->part[i].at[j]);

			if (kinds >> BTF_INFO_KIND(t->info) & 1)
				each(ctx, btf_string(types, t->name_off));
		}
}
