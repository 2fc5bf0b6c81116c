#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "kbtf.h"
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

#define STAND_INS 16

static struct stand_in stand_ins[STAND_INS];

void object_stand_in(const char *name, const char *function)
{
	struct stand_in *s = stand_ins;

	while (s < stand_ins + STAND_INS - 1 && s->name && strcmp(s->name, name))
		s++;
	*s = (struct stand_in){ name, function };
}

/* One copy of each text, that stays. */
static const char *interned(char *text)
{
	static char **known;
	static int n;

	for (int i = 0; i < n; i++)
		if (!strcmp(known[i], text)) {
			free(text);
			return known[i];
		}
	known = xrealloc(known, (n + 1) * sizeof(*known));
	return known[n++] = text;
}

const char *object_section(const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog), *name = strchr(section, '/');

	for (const struct stand_in *s = stand_ins; s < stand_ins + STAND_INS && s->name; s++)
		if (name && !strcmp(name + 1, s->name))
			return interned(
				xasprintf("%.*s/%s", (int)(name - section), section, s->function));
	return section;
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

/* A module's BTF is told from others by the name in its info; wants CAP_SYS_ADMIN. */
static int module_btf_fd(const char *module)
{
	for (u32 id = 0; !bpf_btf_get_next_id(id, &id);) {
		char name[64] = "";
		struct bpf_btf_info info = { .name = (u64)(unsigned long)name,
					     .name_len = sizeof(name) };
		u32 len = sizeof(info);
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(name, module))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -errno;
}

/*
 * libbpf takes a kernel that forbids bpf_probe_read_kernel(), as one in lockdown does, for one
 * before 5.5, and puts bpf_probe_read() for it and for bpf_probe_read_user(), which would be
 * allowed. Kernels that type programs by BTF are not that old: the calls that programs were
 * compiled with are put back.
 */
struct calls {
	const struct bpf_program *prog;
	size_t n;
	s32 helper[];
};

static struct calls *calls_of(const struct bpf_program *prog)
{
	const struct bpf_insn *insns = bpf_program__insns(prog);
	size_t n = bpf_program__insn_cnt(prog);
	struct calls *calls = xcalloc(1, sizeof(*calls) + n * sizeof(calls->helper[0]));

	calls->prog = prog;
	for (calls->n = 0; calls->n < n; calls->n++)
		calls->helper[calls->n] = insns[calls->n].imm;
	return calls;
}

static bool is_helper(const struct bpf_insn *insn, s32 helper)
{
	return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg && insn->imm == helper;
}

/* Of the object that is open. */
static struct calls **compiled;
static int ncompiled;

/* In place: libbpf has begun to load them. What it appended, functions not inlined, stays as it is.
 */
static void restore_calls(struct bpf_program *prog)
{
	struct bpf_insn *insns = (struct bpf_insn *)bpf_program__insns(prog);
	const struct calls *calls = NULL;

	for (int i = 0; i < ncompiled; i++)
		if (compiled[i]->prog == prog)
			calls = compiled[i];
	for (size_t i = 0; calls && i < calls->n && i < bpf_program__insn_cnt(prog); i++)
		if (is_helper(&insns[i], BPF_FUNC_probe_read) ||
		    is_helper(&insns[i], BPF_FUNC_probe_read_str))
			insns[i].imm = calls->helper[i];
}

static void remember_calls(struct bpf_object *obj)
{
	struct bpf_program *prog;
	int n = 0;

	while (ncompiled)
		free(compiled[--ncompiled]);
	bpf_object__for_each_program(prog, obj) {
		compiled = xrealloc(compiled, (n + 1) * sizeof(*compiled));
		compiled[n++] = calls_of(prog);
	}
	ncompiled = n;
}

/*
 * The programs that the kernel types by BTF. libbpf would load all of the kernel's BTF to find one
 * id; kbtf.h finds it in passing. So libbpf is told they are raw tracepoints, until the moment of
 * loading, when type and id are set right.
 */
static int load_typed(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	const char *name = strchr(object_section(prog), '/') + 1, *module;
	char tracepoint[128];
	int id;

	restore_calls(prog);
	bpf_program__set_type(prog, BPF_PROG_TYPE_TRACING);
	opts->expected_attach_type = cookie;
	if (cookie == BPF_TRACE_RAW_TP) {
		snprintf(tracepoint, sizeof(tracepoint), "btf_trace_%s", name);
		id = kbtf_id(tracepoint, KBTF_TYPEDEF);
	} else {
		id = kbtf_id(name, KBTF_FUNC);
		if (!id && (module = kbtf_module(name, &id))) {
			int fd = module_btf_fd(module);

			if (fd < 0)
				return fd;
			opts->attach_btf_obj_fd = fd;
		}
	}
	opts->attach_btf_id = id > 0 ? id : 0;
	return id > 0 ? 0 : id ?: -ESRCH;
}

static void take_typed_programs(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = load_typed);
	static const struct {
		const char *section;
		enum bpf_attach_type type;
	} kinds[] = {
		{ "tp_btf/", BPF_TRACE_RAW_TP },
		{ "fentry/", BPF_TRACE_FENTRY },
		{ "fexit/", BPF_TRACE_FEXIT },
	};
	static bool done;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !done; i++) {
		opts.cookie = kinds[i].type;
		libbpf_register_prog_handler(kinds[i].section, BPF_PROG_TYPE_RAW_TRACEPOINT,
					     kinds[i].type, &opts);
	}
	done = true;
}

/* A file without a name; its path leads libbpf to it. */
static int memory_file(char path[64])
{
	int fd = memfd_create("btf", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	if (!access(path, R_OK))
		return fd;
	close(fd);
	return -1;
}

struct bpf_object *object_open(const char *name, const char *btf, int *btf_fd)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name, .btf_custom_path = btf);
	struct bpf_object *obj;
	char path[64];
	size_t size;
	void *data;

	take_typed_programs();
	*btf_fd = btf ? -1 : memory_file(path);
	if (*btf_fd >= 0)
		opts.btf_custom_path = path;

	for (const struct embedded *e = __start_bpf_objects; e < __stop_bpf_objects; e++) {
		if (strcmp(e->name, name))
			continue;
		data = unpack(e, &size);
		if (!data)
			return NULL;
		/* libbpf keeps pointers into the data until the object is loaded: it stays. */
		obj = bpf_object__open_mem(data, size, &opts);
		if (obj)
			remember_calls(obj);
		else
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
	char *data;

	if (!map)
		return NULL;
	data = mmap(NULL, bpf_map__value_size(map), PROT_READ | PROT_WRITE, MAP_SHARED,
		    bpf_map__fd(map), 0);
	return data == MAP_FAILED ? NULL : data + offset;
}

int object_get(struct bpf_object *obj, const char *var, void *value, size_t size)
{
	u32 offset, len, zero = 0;
	struct bpf_map *map = find_var(obj, ".bss", var, &offset, &len);
	char *data;
	int err;

	if (!map || len != size)
		return -ENOENT;
	data = xcalloc(1, bpf_map__value_size(map));
	err = bpf_map_lookup_elem(bpf_map__fd(map), &zero, data) ? -errno : 0;
	memcpy(value, data + offset, size);
	free(data);
	return err;
}
