#include <setjmp.h>
#include <string.h>
#ifdef HAVE_DEMANGLE
#include <libiberty/demangle.h>
#endif

#include "demangle.h"

#define MAX_MANGLED 4096 /* of those that are looked at */
#define MAX_TEXT    4096 /* names can unfold to any length: what is longer stays mangled */

bool demangle_off;

#ifdef HAVE_DEMANGLE
struct text {
	struct buf *b;
	size_t start;
	jmp_buf too_long;
};

static void append(const char *s, size_t len, void *arg)
{
	struct text *t = arg;

	/*
	 * The library keeps nothing on the heap meanwhile, but for the one name of Rust that it is
	 * decoding from punycode.
	 */
	if (t->b->len - t->start + len > MAX_TEXT)
		longjmp(t->too_long, 1);
	if (len) /* of an empty identifier there is no text */
		buf_mem(t->b, s, len);
}

static bool is_mangled(const char *name)
{
	return (name[0] == '_' && (name[1] == 'Z' || name[1] == 'R')) || !strncmp(name, "__Z", 3);
}

static bool unfold(struct text *t, const char *name)
{
	const int options = DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO;

	/* Rust's older names are C++'s too, with a hash for a last part. */
	if (!setjmp(t->too_long)) {
		if (rust_demangle_callback(name, options, append, t))
			return true;
		t->b->len = t->start;
		if (cplus_demangle_v3_callback(name, options, append, t))
			return true;
	}
	t->b->len = t->start;
	return false;
}

bool demangle(struct buf *b, const char *name)
{
	struct text t = { .b = b, .start = b->len };
	char mangled[MAX_MANGLED];
	size_t len;

	if (demangle_off || !is_mangled(name))
		return false;
	len = strcspn(name, "@"); /* ours: foo@plt */
	if (len >= sizeof(mangled))
		return false;
	memcpy(mangled, name, len);
	mangled[len] = '\0';
	if (!unfold(&t, mangled))
		return false;
	buf_str(b, name + len);
	return true;
}
#else
bool demangle(struct buf *b, const char *name)
{
	(void)b, (void)name;
	return false;
}
#endif
