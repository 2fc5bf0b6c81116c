/*
 * Two passes over the file: the strings give each wanted name its offset (BTF holds a
 * string once), and the types are then compared by offset, without touching a string.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/btf.h>

#include "kbtf.h"
#include "util.h"

#define VMLINUX "/sys/kernel/btf/vmlinux"
#define WINDOW (64 * 1024)
#define NAME_MAX_LEN 512

struct want {
	char *name;
	enum kbtf_kind kind;
	u32 offset; /* of the name in the string section; 0: not there */
	int id;
};

static struct want *wants;
static int nwants;

/* A section of the file, seen through a window that slides forward. */
struct section {
	int fd;
	u64 start, end; /* in the file */
	u64 at;		/* file offset of data[0] */
	size_t have;
	char data[WINDOW];
};

bool kbtf_available(void)
{
	return !access(VMLINUX, R_OK);
}

/* `n` bytes at file offset `pos`, or as many as the section has; NULL at its end or on error. */
static const char *see(struct section *s, u64 pos, size_t n, size_t *got)
{
	if (pos < s->at || pos + n > s->at + s->have) {
		size_t want = s->end - pos < WINDOW ? s->end - pos : WINDOW, len = 0;

		if (pos >= s->end)
			return NULL;
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
	case BTF_KIND_ENUM64: return vlen * 12;
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

static void scan_strings(struct section *s, u32 base, struct want *w, int n)
{
	u8 first[256] = {};
	size_t got;

	for (int i = 0; i < n; i++)
		first[(u8)w[i].name[0]] = 1;
	for (u64 pos = s->start; pos < s->end;) {
		const char *p = see(s, pos, NAME_MAX_LEN, &got), *end;

		if (!p)
			return;
		end = memchr(p, '\0', got);
		if (!end) /* longer than any name we ask for */
			end = p + got - 1;
		if (first[(u8)*p])
			for (int i = 0; i < n; i++)
				if (w[i].name[0] == *p && !strcmp(w[i].name, p))
					w[i].offset = base + (pos - s->start);
		pos += end - p + 1;
	}
}

static int scan_types(struct section *s, int id, struct want *w, int n)
{
	const struct btf_type *t;
	size_t got;

	for (u64 pos = s->start; pos < s->end; id++) {
		int more;

		t = (const void *)see(s, pos, sizeof(*t), &got);
		if (!t || got < sizeof(*t) || (more = extra(t->info)) < 0)
			return -EINVAL;
		if (t->name_off)
			for (int i = 0; i < n; i++)
				if (w[i].offset == t->name_off && !w[i].id &&
				    BTF_INFO_KIND(t->info) == w[i].kind)
					w[i].id = id;
		pos += sizeof(*t) + more;
	}
	return id;
}

/*
 * Finds the wants in the BTF at `file`. `base_str` and `base_id` are what a module's BTF continues
 * from: vmlinux's string length and number of types. Returns the next free id, or -errno.
 */
static int scan(const char *file, u32 base_str, int base_id, struct want *w, int n, u32 *str_len)
{
	struct section *s = xcalloc(1, sizeof(*s));
	struct btf_header h;
	int id = -EINVAL;

	s->fd = open(file, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0) {
		id = -errno;
	} else if (pread(s->fd, &h, sizeof(h), 0) == sizeof(h) && h.magic == BTF_MAGIC) {
		s->start = h.hdr_len + (u64)h.str_off;
		s->end = s->start + h.str_len;
		scan_strings(s, base_str, w, n);
		s->have = 0;
		s->start = h.hdr_len + (u64)h.type_off;
		s->end = s->start + h.type_len;
		id = scan_types(s, base_id, w, n);
		if (str_len)
			*str_len = h.str_len;
	}
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return id;
}

static struct want *known(const char *name, enum kbtf_kind kind)
{
	for (int i = 0; i < nwants; i++)
		if (wants[i].kind == kind && !strcmp(wants[i].name, name))
			return &wants[i];
	return NULL;
}

static u32 vmlinux_str_len;
static int vmlinux_types; /* one more than the last id */

void kbtf_prefetch(const struct kbtf_name *names, int n)
{
	int from = nwants;

	for (int i = 0; i < n; i++) {
		if (known(names[i].name, names[i].kind))
			continue;
		wants = xrealloc(wants, (nwants + 1) * sizeof(*wants));
		wants[nwants++] = (struct want){ strdup(names[i].name), names[i].kind };
	}
	if (nwants > from)
		vmlinux_types =
			scan(VMLINUX, 0, 1, wants + from, nwants - from, &vmlinux_str_len);
}

int kbtf_id(const char *name, enum kbtf_kind kind)
{
	struct kbtf_name one = { name, kind };
	struct want *w = known(name, kind);

	if (!w) {
		kbtf_prefetch(&one, 1);
		w = known(name, kind);
	}
	return vmlinux_types < 0 ? vmlinux_types : w->id;
}

const char *kbtf_module(const char *function, int *id)
{
	static char module[256];
	DIR *d = opendir("/sys/kernel/btf");
	struct dirent *e;

	if (!d || kbtf_id(function, KBTF_FUNC) < 0) {
		if (d)
			closedir(d);
		return NULL;
	}
	while ((e = readdir(d))) {
		struct want w = { (char *)function, KBTF_FUNC };
		char file[512];

		if (e->d_name[0] == '.' || !strcmp(e->d_name, "vmlinux"))
			continue;
		snprintf(file, sizeof(file), "/sys/kernel/btf/%s", e->d_name);
		scan(file, vmlinux_str_len, vmlinux_types, &w, 1, NULL);
		if (w.id) {
			snprintf(module, sizeof(module), "%s", e->d_name);
			*id = w.id;
			closedir(d);
			return module;
		}
	}
	closedir(d);
	return NULL;
}
