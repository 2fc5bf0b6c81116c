#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <bpf/btf.h>

#include "object.h"
#include "util.h"

struct embedded {
	const char *name;
	const unsigned char *data; /* gzip: RFC 1952 */
	size_t size;
};

extern const struct embedded __start_bpf_objects[], __stop_bpf_objects[];

void object_each(void (*each)(const char *name, void *ctx), void *ctx)
{
	for (const struct embedded *e = __start_bpf_objects; e < __stop_bpf_objects; e++)
		each(e->name, ctx);
}

static void *unpack(const struct embedded *e, size_t *size)
{
	/* The last four bytes of gzip are the size of what is in it. */
	const unsigned char *end = e->data + e->size;
	z_stream z = { .next_in = (unsigned char *)e->data, .avail_in = e->size };
	void *data;

	*size = end[-4] | end[-3] << 8 | end[-2] << 16 | (size_t)end[-1] << 24;
	data = xcalloc(1, *size);
	z.next_out = data;
	z.avail_out = *size;
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK || inflate(&z, Z_FINISH) != Z_STREAM_END) {
		free(data);
		errno = EBADMSG;
		return NULL;
	}
	inflateEnd(&z);
	return data;
}

struct bpf_object *object_open(const char *name, const char *btf)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name, .btf_custom_path = btf);
	struct bpf_object *obj;
	size_t size;
	void *data;

	for (const struct embedded *e = __start_bpf_objects; e < __stop_bpf_objects; e++) {
		if (strcmp(e->name, name))
			continue;
		data = unpack(e, &size);
		if (!data)
			return NULL;
		/* libbpf keeps pointers into the data until the object is loaded: it stays. */
		obj = bpf_object__open_mem(data, size, &opts);
		if (!obj)
			free(data);
		return obj;
	}
	errno = ENOENT;
	return NULL;
}

/* The variable in the data section `section` that is called `var`: its map, offset and size. */
static struct bpf_map *find_var(struct bpf_object *obj, const char *section, const char *var,
				u32 *offset, u32 *size)
{
	struct btf *btf = bpf_object__btf(obj);
	int id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC);
	const struct btf_type *sec = id > 0 ? btf__type_by_id(btf, id) : NULL;
	struct bpf_map *map;

	for (int i = 0; sec && i < btf_vlen(sec); i++) {
		const struct btf_var_secinfo *v = &btf_var_secinfos(sec)[i];
		u32 name = btf__type_by_id(btf, v->type)->name_off;

		if (strcmp(btf__name_by_offset(btf, name), var))
			continue;
		*offset = v->offset;
		*size = v->size;
		bpf_object__for_each_map(map, obj)
			if (bpf_map__is_internal(map) && strstr(bpf_map__name(map), section))
				return map;
	}
	return NULL;
}

int object_set(struct bpf_object *obj, const char *var, const void *value, size_t size)
{
	u32 offset, len;
	struct bpf_map *map = find_var(obj, ".rodata", var, &offset, &len);
	size_t room;
	char *data = map ? (char *)bpf_map__initial_value(map, &room) : NULL;

	if (!data)
		return -ENOENT;
	if (len != size || offset + size > room)
		return -EMSGSIZE;
	memcpy(data + offset, value, size);
	return 0;
}

void *object_var(struct bpf_object *obj, const char *var)
{
	u32 offset, len;
	struct bpf_map *map = find_var(obj, ".bss", var, &offset, &len);
	size_t room;
	char *data = map ? (char *)bpf_map__initial_value(map, &room) : NULL;

	return data && offset + len <= room ? data + offset : NULL;
}
