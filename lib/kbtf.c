/*
 * Two passes over the file: the strings give each wanted name its offset (BTF holds a
 * string once), and the types are then compared by offset, without touching a string.
 * A third, over a handful of types, copies those that relocations need.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "buf.h"
#include "kbtf.h"
#include "util.h"

#define VMLINUX      "/sys/kernel/btf/vmlinux"
#define WINDOW       (64 * 1024)
#define NAME_MAX_LEN 512
#define STRIDE       64 /* types between two remembered positions */
#define DEPTH_MAX    32

/* A name that is looked for in the string section, once. */
struct name {
	const char *text;
	u32 offset; /* there; 0: not there */
	u32 copy;   /* offset in the copy's strings; 0: not put there yet */
	bool type, member;
};

struct names {
	struct name *list;
	int n;
	u8 shapes[65536 / 8]; /* bits: shape() of some name */
	int *by_offset;       /* open hash: index + 1 */
	u32 mask;
};

/* A section of the file, seen through a window that slides forward, or all at once. */
struct section {
	int fd;
	u64 start, end;      /* in the file */
	char *whole;         /* the file, if it is in memory: what follows is not used then */
	size_t size;         /* of that */
	u64 at;              /* file offset of data[0] */
	size_t have, window; /* bytes in data; how many to read at once */
	char data[WINDOW];
};

static struct known {
	char *name;
	enum kbtf_kind kind;
	int id;
} * known;
static int nknown;

bool kbtf_available(void)
{
	return !access(VMLINUX, R_OK);
}

/* What is at file offset `pos`, `n` bytes or as many as the section has; NULL at its end. */
static const char *see(struct section *s, u64 pos, size_t n, size_t *got)
{
	if (pos >= s->end || pos < s->start)
		return NULL;
	if (s->whole) {
		if (s->end > s->size)
			return NULL;
		*got = s->end - pos;
		return s->whole + pos;
	}
	if (pos < s->at || pos + n > s->at + s->have) {
		size_t want = s->window > n ? s->window : n, len = 0;

		if (want > s->end - pos)
			want = s->end - pos;

		while (len < want) { /* sysfs gives a page at a time */
			ssize_t r = pread(s->fd, s->data + len, want - len, pos + len);

			if (r <= 0)
				break;
			len += r;
		}
		s->at = pos;
		s->have = len;
	}
	if (pos >= s->at + s->have)
		return NULL;
	*got = s->at + s->have - pos;
	return s->data + (pos - s->at);
}

/* How many bytes follow struct btf_type, by kind; -1 for a kind that is not known. */
static int extra(u32 info)
{
	u32 vlen = BTF_INFO_VLEN(info);

	switch (BTF_INFO_KIND(info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG: return 4;
	case BTF_KIND_ARRAY: return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM: return vlen * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO: return vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC: return vlen * sizeof(struct btf_var_secinfo);
	case BTF_KIND_ENUM64: return vlen * sizeof(struct btf_enum64);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG: return 0;
	default: return -1;
	}
}

/* What few of the file's names have in common with a given one. */
static u32 shape(const char *name, size_t len)
{
	u32 first = (u8)name[0] << 8 | (u8)(len ? name[1] : 0);

	return (first ^ len * 0x9e5) % 65536;
}

/* A flavour, `task_struct___5_13`, stands for the name before the three underscores. */
static char *essential(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour > name ? strndup(name, flavour - name) : strdup(name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static void add_name(struct names *names, const char *text, bool type, bool member)
{
	if (!*text)
		return;
	names->list = xrealloc(names->list, (names->n + 1) * sizeof(*names->list));
	names->list[names->n++] =
		(struct name){ .text = essential(text), .type = type, .member = member };
}

/* Sorted, each text once. */
static void settle(struct names *names)
{
	int kept = 0;

	qsort(names->list, names->n, sizeof(*names->list), by_text);
	for (int i = 0; i < names->n; i++) {
		struct name *last = kept ? &names->list[kept - 1] : NULL;

		if (last && !by_text(last, &names->list[i])) {
			last->type |= names->list[i].type;
			last->member |= names->list[i].member;
			free((char *)names->list[i].text);
			continue;
		}
		names->list[kept++] = names->list[i];
	}
	names->n = kept;
	for (int i = 0; i < kept; i++) {
		u32 bit = shape(names->list[i].text, strlen(names->list[i].text));

		names->shapes[bit / 8] |= 1 << bit % 8;
	}
}

static void names_of_object(struct names *names, const struct btf *btf)
{
	for (u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		u32 kind = btf_kind(t);

		if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ENUM ||
		    kind == BTF_KIND_ENUM64 || kind == BTF_KIND_TYPEDEF)
			add_name(names, btf__name_by_offset(btf, t->name_off), true, false);
		for (int i = 0; btf_is_composite(t) && i < btf_vlen(t); i++)
			add_name(names, btf__name_by_offset(btf, btf_members(t)[i].name_off), false,
				 true);
		for (int i = 0; btf_is_enum(t) && i < btf_vlen(t); i++)
			add_name(names, btf__name_by_offset(btf, btf_enum(t)[i].name_off), false,
				 true);
		for (int i = 0; btf_is_enum64(t) && i < btf_vlen(t); i++)
			add_name(names, btf__name_by_offset(btf, btf_enum64(t)[i].name_off), false,
				 true);
	}
}

static void free_names(struct names *names)
{
	for (int i = 0; i < names->n; i++)
		free((char *)names->list[i].text);
	free(names->list);
	free(names->by_offset);
}

static void see_name(struct names *names, const char *text, size_t len, u32 offset)
{
	u32 bit = shape(text, len);
	struct name key = { .text = text }, *found;

	if (!(names->shapes[bit / 8] >> bit % 8 & 1))
		return;
	found = bsearch(&key, names->list, names->n, sizeof(key), by_text);
	if (found)
		found->offset = offset;
}

/* Gives the names their offsets; `base` is what a module's strings continue from. */
static void scan_strings(struct section *s, u32 base, struct names *names)
{
	const char *p, *name, *end;
	size_t got;

	free(names->by_offset); /* of another file */
	for (int i = 0; i < names->n; i++)
		names->list[i].offset = 0;
	for (u64 pos = s->start; (p = see(s, pos, NAME_MAX_LEN, &got)); pos += name - p)
		for (name = p; name < p + got; name = end + 1) {
			end = memchr(name, '\0', p + got - name);
			if (end)
				see_name(names, name, end - name,
					 base + (pos - s->start) + (name - p));
			else if (name > p) /* goes on behind the window */
				break;
			else /* longer than any name we ask for */
				end = p + got - 1;
		}
	names->mask = 64;
	while (names->mask < 8u * names->n)
		names->mask *= 2;
	names->by_offset = xcalloc(names->mask--, sizeof(int));
	for (int i = 0; i < names->n; i++) {
		u32 h = names->list[i].offset * 2654435761u;

		while (names->list[i].offset && names->by_offset[h & names->mask])
			h++;
		if (names->list[i].offset)
			names->by_offset[h & names->mask] = i + 1;
	}
}

static struct name *name_at(const struct names *names, u32 offset)
{
	for (u32 h = offset * 2654435761u; offset && names->by_offset[h & names->mask]; h++) {
		struct name *name = &names->list[names->by_offset[h & names->mask] - 1];

		if (name->offset == offset)
			return name;
	}
	return NULL;
}

/* What the pass over the types leaves for the copy. */
struct types {
	u32 *stride; /* position of type 1 + i * STRIDE */
	int count;   /* one more than the last id */
	u32 *roots;  /* ids of types that `local` names */
	int nroots;
};

static int first_known; /* where those begin that the file being read is asked for */

static void remember(const struct btf_type *t, int id, const char *name)
{
	for (int i = first_known; i < nknown; i++)
		if (!known[i].id && known[i].kind == BTF_INFO_KIND(t->info) &&
		    !strcmp(known[i].name, name))
			known[i].id = id;
}

/* Remembers where every STRIDE-th type is. */
static void note_position(struct types *types, int i, u32 position)
{
	if ((i & (i - 1)) == 0)
		types->stride = xrealloc(types->stride, (i * 2 + 1) * sizeof(u32));
	types->stride[i] = position;
}

static void see_type(const struct btf_type *t, int id, const struct name *name, struct types *types)
{
	u32 kind = BTF_INFO_KIND(t->info);

	remember(t, id, name->text);
	if (types && name->type && kind != BTF_KIND_FUNC && kind != BTF_KIND_FWD) {
		types->roots = xrealloc(types->roots, (types->nroots + 1) * sizeof(u32));
		types->roots[types->nroots++] = id;
	}
}

static int scan_types(struct section *s, int id, const struct names *names, struct types *types)
{
	int first = id, more;
	const char *p;
	size_t got, at;

	for (u64 pos = s->start; pos < s->end; pos += at) {
		p = see(s, pos, sizeof(struct btf_type), &got);
		if (!p || got < sizeof(struct btf_type))
			return -EINVAL;
		for (at = 0; at + sizeof(struct btf_type) <= got; id++) {
			const struct btf_type *t = (const void *)(p + at);
			const struct name *name = name_at(names, t->name_off);

			if ((more = extra(t->info)) < 0)
				return -EINVAL;
			if (types && (id - first) % STRIDE == 0)
				note_position(types, (id - first) / STRIDE, pos + at - s->start);
			if (name)
				see_type(t, id, name, types);
			at += sizeof(*t) + more;
		}
	}
	if (types)
		types->count = id;
	return id;
}

/* The copy: kernel types by new ids, with nothing in them that relocations do not look at. */
struct copy {
	struct section *s;
	struct types *types;
	struct names *names;
	struct buf out, strings;
	int next;
	struct {
		u32 old;
		int id;
	} * done;
	int ndone;
};

static void put(struct buf *b, const void *p, size_t n)
{
	buf_mem(b, p, n);
}

static u32 copy_name(struct copy *c, u32 offset)
{
	struct name *name = name_at(c->names, offset);

	if (!name)
		return 0;
	if (!name->copy) {
		name->copy = c->strings.len;
		buf_mem(&c->strings, name->text, strlen(name->text) + 1);
	}
	return name->copy;
}

/* Type `id` of the kernel, at most `n` bytes of it; *pos is where it is. */
static bool type_at(struct copy *c, u32 id, struct btf_type *t, u64 *pos)
{
	size_t got;

	if (!id || id >= (u32)c->types->count)
		return false;
	*pos = c->s->start + c->types->stride[(id - 1) / STRIDE];
	for (u32 at = (id - 1) / STRIDE * STRIDE + 1;; at++) {
		const struct btf_type *p = (const void *)see(c->s, *pos, sizeof(*p), &got);

		if (!p || got < sizeof(*p) || extra(p->info) < 0)
			return false;
		*t = *p;
		if (at == id)
			return true;
		*pos += sizeof(*p) + extra(p->info);
	}
}

static int emit_type(struct copy *c, u32 name, u32 info, u32 size_or_type, const void *rest,
		     size_t n)
{
	struct btf_type t = { .name_off = name, .info = info, .size = size_or_type };

	put(&c->out, &t, sizeof(t));
	put(&c->out, rest, n);
	return c->next++;
}

static int copy_type(struct copy *c, u32 id, int depth);

/* Element i of what follows the type at `pos`. */
static bool element(struct copy *c, u64 pos, int i, void *to, size_t size)
{
	size_t got;
	const char *p = see(c->s, pos + sizeof(struct btf_type) + i * size, size, &got);

	if (!p || got < size)
		return false;
	memcpy(to, p, size);
	return true;
}

static bool composite(struct copy *c, u32 id)
{
	struct btf_type t;
	u64 pos;

	for (int i = 0; i < DEPTH_MAX && type_at(c, id, &t, &pos); i++) {
		u32 kind = BTF_INFO_KIND(t.info);

		if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
			return true;
		if (kind != BTF_KIND_CONST && kind != BTF_KIND_VOLATILE)
			return false;
		id = t.type;
	}
	return false;
}

static int copy_members(struct copy *c, const struct btf_type *t, u64 pos, int depth)
{
	struct buf kept = {};
	struct btf_member m;
	int n = 0, id;

	for (int i = 0; i < (int)BTF_INFO_VLEN(t->info); i++) {
		struct name *name;

		if (!element(c, pos, i, &m, sizeof(m)))
			break;
		name = name_at(c->names, m.name_off);
		if (m.name_off ? !name || !name->member : !composite(c, m.type))
			continue;
		m.name_off = m.name_off ? copy_name(c, m.name_off) : 0;
		m.type = copy_type(c, m.type, depth + 1);
		put(&kept, &m, sizeof(m));
		n++;
	}
	id = emit_type(c, copy_name(c, t->name_off), (t->info & 0xffff0000) | n, t->size,
		       kept.data ?: "", kept.len);
	buf_free(&kept);
	return id;
}

static int copy_enumerators(struct copy *c, const struct btf_type *t, u64 pos, size_t size)
{
	struct buf kept = {};
	struct btf_enum64 e;
	int n = 0, id;

	for (int i = 0; i < (int)BTF_INFO_VLEN(t->info); i++) {
		if (!element(c, pos, i, &e, size))
			break;
		if (!name_at(c->names, e.name_off))
			continue;
		e.name_off = copy_name(c, e.name_off);
		put(&kept, &e, size);
		n++;
	}
	id = emit_type(c, copy_name(c, t->name_off), (t->info & 0xffff0000) | n, t->size,
		       kept.data ?: "", kept.len);
	buf_free(&kept);
	return id;
}

static int copy_proto(struct copy *c, const struct btf_type *t, u64 pos, int depth)
{
	struct btf_param params[16];
	int n = BTF_INFO_VLEN(t->info);
	u32 ret;

	if (n > 16)
		return 0;
	for (int i = 0; i < n; i++) {
		if (!element(c, pos, i, &params[i], sizeof(params[i])))
			return 0;
		params[i].name_off = 0;
	}
	for (int i = 0; i < n; i++)
		params[i].type = copy_type(c, params[i].type, depth + 1);
	ret = copy_type(c, t->type, depth + 1);
	return emit_type(c, 0, t->info, ret, params, n * sizeof(params[0]));
}

/*
 * What a pointer points to counts by kind alone (bpf_core_types_are_compat), and a struct behind it
 * is relocated by a relocation of its own: an empty one will do.
 */
static int copy_pointee(struct copy *c, u32 id, int depth)
{
	struct btf_type t;
	u64 pos;

	for (int i = 0; i < DEPTH_MAX && type_at(c, id, &t, &pos); i++) {
		switch (BTF_INFO_KIND(t.info)) {
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
		case BTF_KIND_TYPEDEF: id = t.type; continue;
		case BTF_KIND_PTR:
		case BTF_KIND_INT:
		case BTF_KIND_FUNC_PROTO: return depth < 6 ? copy_type(c, id, depth + 1) : 0;
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION: return emit_type(c, 0, t.info & 0xff000000, 0, "", 0);
		default: return 0;
		}
	}
	return 0;
}

/* Copies type `id` and what it is made of; its new id, 0 (void) for what is not needed. */
static int copy_type(struct copy *c, u32 id, int depth)
{
	struct btf_array array;
	struct btf_type t;
	int new = 0, inner;
	u32 bits;
	u64 pos;

	if (depth > DEPTH_MAX || !type_at(c, id, &t, &pos))
		return 0;
	for (int i = 0; i < c->ndone; i++)
		if (c->done[i].old == id)
			return c->done[i].id;
	switch (BTF_INFO_KIND(t.info)) {
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG: return copy_type(c, t.type, depth + 1);
	case BTF_KIND_TYPEDEF:
		inner = copy_type(c, t.type, depth + 1);
		new = emit_type(c, copy_name(c, t.name_off), t.info, inner, "", 0);
		break;
	case BTF_KIND_INT:
		if (!element(c, pos, 0, &bits, sizeof(bits)))
			return 0;
		new = emit_type(c, copy_name(c, t.name_off), t.info, t.size, &bits, sizeof(bits));
		break;
	case BTF_KIND_PTR:
		inner = copy_pointee(c, t.type, depth);
		new = emit_type(c, 0, t.info, inner, "", 0);
		break;
	case BTF_KIND_ARRAY:
		if (!element(c, pos, 0, &array, sizeof(array)))
			return 0;
		array.type = copy_type(c, array.type, depth + 1);
		array.index_type = copy_type(c, array.index_type, depth + 1);
		new = emit_type(c, 0, t.info, 0, &array, sizeof(array));
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: new = copy_members(c, &t, pos, depth); break;
	case BTF_KIND_ENUM: new = copy_enumerators(c, &t, pos, sizeof(struct btf_enum)); break;
	case BTF_KIND_ENUM64: new = copy_enumerators(c, &t, pos, sizeof(struct btf_enum64)); break;
	case BTF_KIND_FUNC_PROTO: new = copy_proto(c, &t, pos, depth); break;
	case BTF_KIND_FLOAT: new = emit_type(c, 0, t.info, t.size, "", 0); break;
	default: return 0;
	}
	c->done = xrealloc(c->done, (c->ndone + 1) * sizeof(*c->done));
	c->done[c->ndone].old = id;
	c->done[c->ndone++].id = new;
	return new;
}

static int write_all(int fd, const void *data, size_t n)
{
	while (n) {
		ssize_t done = write(fd, data, n);

		if (done <= 0)
			return done ? -errno : -EIO;
		data = (const char *)data + done;
		n -= done;
	}
	return 0;
}

static int write_copy(struct section *s, struct types *types, struct names *names, int fd)
{
	struct copy c = { .s = s, .types = types, .names = names, .next = 1 };
	struct btf_header h = { .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h) };
	int err;

	buf_chr(&c.strings, '\0');
	for (int i = 0; i < types->nroots; i++)
		copy_type(&c, types->roots[i], 0);
	h.type_len = h.str_off = c.out.len;
	h.str_len = c.strings.len;
	err = write_all(fd, &h, sizeof(h));
	err = err ?: write_all(fd, c.out.data, c.out.len);
	err = err ?: write_all(fd, c.strings.data, c.strings.len);
	buf_free(&c.out);
	buf_free(&c.strings);
	free(c.done);
	return err;
}

static int btf_info(int fd, struct bpf_btf_info *info)
{
	u32 size = sizeof(*info);

	return bpf_obj_get_info_by_fd(fd, info, &size);
}

/*
 * Takes vmlinux's BTF, the first that a kernel since 5.11 makes, in one system call, where sysfs
 * takes one for each page. Only CAP_SYS_ADMIN may; it costs five megabytes while it is read.
 */
static void map_vmlinux(struct section *s)
{
	char name[sizeof("vmlinux")] = "", *data;
	struct bpf_btf_info info = { .name = (uintptr_t)name, .name_len = sizeof(name) };
	u32 id;
	int fd = bpf_btf_get_next_id(0, &id) ? -1 : bpf_btf_get_fd_by_id(id);

	if (fd < 0)
		return;
	if (!btf_info(fd, &info) && info.kernel_btf && !strcmp(name, "vmlinux")) {
		s->size = info.btf_size;
		data = mmap(NULL, s->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		info = (struct bpf_btf_info){ .btf = (uintptr_t)data, .btf_size = s->size };
		if (data != MAP_FAILED && !btf_info(fd, &info))
			s->whole = data;
		else if (data != MAP_FAILED)
			munmap(data, s->size);
	}
	close(fd);
}

/*
 * Scans the BTF at `file`. `base_str` and `base_id` are what a module's BTF continues from:
 * vmlinux's string length and number of types. Returns the next free id, or -errno.
 */
static int scan(const char *file, u32 base_str, int base_id, struct names *names, u32 *str_len,
		int fd)
{
	struct section *s = xcalloc(1, sizeof(*s));
	struct types types = {};
	struct btf_header h;
	int id = -EINVAL, err;

	s->fd = open(file, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0) {
		id = -errno;
	} else if (pread(s->fd, &h, sizeof(h), 0) == sizeof(h) && h.magic == BTF_MAGIC) {
		if (!strcmp(file, VMLINUX))
			map_vmlinux(s);
		s->start = h.hdr_len + (u64)h.str_off;
		s->end = s->start + h.str_len;
		s->window = WINDOW;
		scan_strings(s, base_str, names);
		s->have = 0;
		s->start = h.hdr_len + (u64)h.type_off;
		s->end = s->start + h.type_len;
		id = scan_types(s, base_id, names, fd < 0 ? NULL : &types);
		if (str_len)
			*str_len = h.str_len;
		s->window = 4096; /* from here on it jumps to and fro */
		if (id >= 0 && fd >= 0 && (err = write_copy(s, &types, names, fd)))
			id = err;
	}
	if (s->fd >= 0)
		close(s->fd);
	if (s->whole)
		munmap(s->whole, s->size);
	free(types.stride);
	free(types.roots);
	free(s);
	return id;
}

/*
 * BTF without a type. With it libbpf makes instructions invalid that it cannot relocate, which does
 * no harm where they are never reached: so tools that ask for no kernel type run without BTF.
 */
int kbtf_none(int fd)
{
	struct btf_header h = { .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h) };
	int err;

	h.str_len = 1;
	err = write_all(fd, &h, sizeof(h));
	return err ?: write_all(fd, "", 1);
}

static struct known *find_known(const char *name, enum kbtf_kind kind)
{
	for (int i = 0; i < nknown; i++)
		if (known[i].kind == kind && !strcmp(known[i].name, name))
			return &known[i];
	return NULL;
}

static u32 vmlinux_str_len;
static int vmlinux_types; /* one more than the last id, or -errno */

int kbtf_prefetch(const struct kbtf_name *wants, int n, const struct btf *local, int fd)
{
	struct names names = {};

	for (int i = 0; i < n; i++) {
		if (find_known(wants[i].name, wants[i].kind))
			continue;
		known = xrealloc(known, (nknown + 1) * sizeof(*known));
		known[nknown++] = (struct known){ strdup(wants[i].name), wants[i].kind, 0 };
		add_name(&names, wants[i].name, false, false);
	}
	if (local && fd >= 0)
		names_of_object(&names, local);
	if (names.n) {
		settle(&names);
		vmlinux_types = scan(VMLINUX, 0, 1, &names, &vmlinux_str_len, local ? fd : -1);
	}
	free_names(&names);
	if (vmlinux_types < 0 && local && fd >= 0)
		kbtf_none(fd);
	return vmlinux_types < 0 ? vmlinux_types : 0;
}

int kbtf_id(const char *name, enum kbtf_kind kind)
{
	struct kbtf_name one = { name, kind };

	if (!find_known(name, kind))
		kbtf_prefetch(&one, 1, NULL, -1);
	return vmlinux_types < 0 ? vmlinux_types : find_known(name, kind)->id;
}

/* Functions that vmlinux has not, and the module that has them; NULL: none has. */
static struct found {
	char *function, *module;
	int id;
} * found;
static int nfound;

static struct found *find_found(const char *function)
{
	for (int i = 0; i < nfound; i++)
		if (!strcmp(found[i].function, function))
			return &found[i];
	return NULL;
}

static void add_found(const struct known *k, const char *module)
{
	found = xrealloc(found, (nfound + 1) * sizeof(*found));
	found[nfound++] = (struct found){ strdup(k->name), module ? strdup(module) : NULL, k->id };
}

/* Scans the BTF of a module for known[first...]; how many of those it has. Ids continue vmlinux's.
 */
static int scan_module(const char *module, struct names *names, int first)
{
	char file[512];
	int n = 0;

	snprintf(file, sizeof(file), "/sys/kernel/btf/%s", module);
	first_known = first;
	scan(file, vmlinux_str_len, vmlinux_types, names, NULL, -1);
	first_known = 0;
	for (int i = first; i < nknown; i++)
		if (known[i].id && !find_found(known[i].name)) {
			add_found(&known[i], module);
			n++;
		}
	return n;
}

/* Looks in all modules at once for every function that was asked for and that vmlinux has not. */
static void search_modules(void)
{
	struct names names = {};
	struct dirent *e;
	int first = nknown, left;
	DIR *d = opendir("/sys/kernel/btf");

	for (int i = 0; i < first; i++) {
		if (known[i].kind != KBTF_FUNC || known[i].id || find_found(known[i].name))
			continue;
		known = xrealloc(known, (nknown + 1) * sizeof(*known));
		known[nknown++] = (struct known){ known[i].name, KBTF_FUNC, 0 };
		add_name(&names, known[i].name, false, false);
	}
	settle(&names);
	left = nknown - first;
	while (d && left && (e = readdir(d)))
		if (e->d_name[0] != '.' && strcmp(e->d_name, "vmlinux"))
			left -= scan_module(e->d_name, &names, first);
	for (int i = first; i < nknown; i++)
		if (!known[i].id)
			add_found(&known[i], NULL);
	nknown = first;
	free_names(&names);
	if (d)
		closedir(d);
}

const char *kbtf_module(const char *function, int *id)
{
	const struct found *f;

	*id = 0;
	if (kbtf_id(function, KBTF_FUNC) < 0)
		return NULL;
	if (!find_found(function))
		search_modules();
	f = find_found(function);
	*id = f ? f->id : 0;
	return f ? f->module : NULL;
}

static bool is_type(const struct btf *btf, u32 id)
{
	return id < btf__type_cnt(btf);
}

static bool is_name(const struct btf *btf, u32 offset)
{
	return btf__name_by_offset(btf, offset);
}

/* What a type is made of, without what it points to. */
static bool parts_valid(const struct btf *btf, const struct btf_type *t)
{
	bool ok = true;

	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		for (int i = 0; i < btf_vlen(t); i++)
			ok &= is_name(btf, btf_members(t)[i].name_off) &&
			      is_type(btf, btf_members(t)[i].type);
		return ok;
	case BTF_KIND_ENUM:
		for (int i = 0; i < btf_vlen(t); i++)
			ok &= is_name(btf, btf_enum(t)[i].name_off);
		return ok;
	case BTF_KIND_ENUM64:
		for (int i = 0; i < btf_vlen(t); i++)
			ok &= is_name(btf, btf_enum64(t)[i].name_off);
		return ok;
	case BTF_KIND_ARRAY:
		return is_type(btf, btf_array(t)->type) && is_type(btf, btf_array(t)->index_type);
	case BTF_KIND_FUNC_PROTO:
		for (int i = 0; i < btf_vlen(t); i++)
			ok &= is_name(btf, btf_params(t)[i].name_off) &&
			      is_type(btf, btf_params(t)[i].type);
		return ok && is_type(btf, t->type);
	case BTF_KIND_DATASEC:
		for (int i = 0; i < btf_vlen(t); i++)
			ok &= is_type(btf, btf_var_secinfos(t)[i].type);
		return ok;
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_FWD: return true;
	default: return is_type(btf, t->type);
	}
}

/* A typedef, qualifier or array is not, by way of others, one of itself. */
static bool ends(const struct btf *btf, u32 id)
{
	for (int i = 0; i < DEPTH_MAX; i++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!id || !t || !(btf_is_mod(t) || btf_is_typedef(t) || btf_is_array(t)))
			return t;
		id = btf_is_array(t) ? btf_array(t)->type : t->type;
	}
	return false;
}

int kbtf_check(const char *file)
{
	struct stat st;
	struct btf *btf;
	int err = 0;

	if (stat(file, &st) || access(file, R_OK))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	btf = btf__parse(file, NULL);
	if (!btf)
		return -EINVAL;
	for (u32 id = 1; id < btf__type_cnt(btf) && !err; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!is_name(btf, t->name_off) || !parts_valid(btf, t))
			err = -EINVAL;
	}
	for (u32 id = 1; id < btf__type_cnt(btf) && !err; id++)
		if (!ends(btf, id))
			err = -EINVAL;
	btf__free(btf);
	return err;
}
