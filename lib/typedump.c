#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "typedump.h"
#include "util.h"

struct typedump {
	struct btf *kernel, *module;
	struct btf_dump *dump;
	struct buf *to;
};

/* Names and characters are not ours: what they have of control bytes is made safe. */
static void print(void *ctx, const char *fmt, va_list args)
{
	struct typedump *d = ctx;
	struct buf piece = {};
	size_t at = 0, end;

	buf_vfmt(&piece, fmt, args);
	for (; at < piece.len; at = end) {
		const char *newline = memchr(piece.data + at, '\n', piece.len - at);

		end = newline ? (size_t)(newline - piece.data) : piece.len;
		buf_safe(d->to, piece.data + at, end - at);
		if (newline)
			buf_chr(d->to, piece.data[end++]);
	}
	buf_free(&piece);
}

static int load(struct typedump *d, const char *file, const char *module)
{
	d->kernel = file ? btf__parse(file, NULL) : btf__load_vmlinux_btf();
	if (!d->kernel)
		return -errno;
	if (module && !(d->module = btf__load_module_btf(module, d->kernel)))
		return -errno;
	d->dump = btf_dump__new(d->module ?: d->kernel, print, d, NULL);
	return d->dump ? 0 : -errno;
}

int typedump_open(struct typedump **dump, const char *file, const char *module)
{
	struct typedump *d = xcalloc(1, sizeof(*d));
	int err = load(d, file, module);

	if (err) {
		typedump_close(d);
		d = NULL;
	}
	*dump = d;
	return err;
}

void typedump_close(struct typedump *d)
{
	if (!d)
		return;
	btf_dump__free(d->dump);
	btf__free(d->module);
	btf__free(d->kernel);
	free(d);
}

void typedump_value(struct typedump *d, struct buf *b, u32 type, const void *value, size_t size,
		    int indent)
{
	LIBBPF_OPTS(btf_dump_type_data_opts, opts, .indent_str = " ",
		    .indent_level = indent < 0 ? 0 : indent, .compact = indent < 0);

	d->to = b;
	if (btf_dump__dump_type_data(d->dump, type, value, size, &opts) == -E2BIG)
		buf_str(b, " ...");
}

int typedump_function(struct typedump *d, struct buf *b, const char *name)
{
	LIBBPF_OPTS(btf_dump_emit_type_decl_opts, opts, .field_name = name);
	const struct btf *btf = d->module ?: d->kernel;
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

	if (id < 0)
		return -ENOENT;
	d->to = b;
	return btf_dump__emit_type_decl(d->dump, btf__type_by_id(btf, id)->type, &opts);
}
