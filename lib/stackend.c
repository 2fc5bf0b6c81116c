/* Where user stacks end: at the beginning of their thread, before, or in what is no code. */
#include <errno.h>
#include <string.h>

#include "applet.h"
#include "stacks.h"

#define DEEPEST                                                                                    \
	4 /* frames that are looked at: libc's own are two, and what it left in the register */

/* Where threads begin: libc's and musl's, Go's. */
static bool is_beginning(const char *name)
{
	static const char *const prefixes[] = {
		"_start", "__libc_start_", "libc_start_",    "start_thread",   "__clone",
		"clone",  "_rt0_",         "runtime.rt0_go", "runtime.goexit", "runtime.mstart",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return !strcmp(name, "main"); /* nobody misses what called it */
}

static bool is_libc(const struct sym *sym)
{
	static const char *const prefixes[] = { "libc.so", "libc-2", "libpthread", "ld-musl" };
	const char *slash = sym->module ? strrchr(sym->module, '/') : NULL;

	for (size_t i = 0; slash && i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(slash + 1, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/*
 * A stripped libc does not name the functions that call main() and those of threads: there, one
 * without a name is taken for that if it called what is not libc's.
 */
enum stack_end stack_end(struct names *n, u32 pid, const struct bcc_stack *s)
{
	bool nameless = false;
	struct sym sym;

	if (s->n >= STACK_DEPTH)
		return STACK_DEEP;
	if (common.stack_depth && s->n >= common.stack_depth) /* as was asked for */
		return STACK_COMPLETE;
	for (u64 i = 0; i < s->n && (i < DEEPEST || nameless); i++) {
		int err = usyms_find(n->user, pid, s->ip[s->n - 1 - i], &sym);

		if (err == -ESRCH || err == -EPERM || err == -EACCES)
			return STACK_UNKNOWN;
		if (sym.name && is_beginning(sym.name))
			return STACK_COMPLETE;
		if (nameless && !is_libc(&sym) && sym.kind == SYM_FILE)
			return STACK_COMPLETE;
		nameless |= sym.kind == SYM_FILE && !sym.name && is_libc(&sym);
	}
	return STACK_TRUNCATED;
}

void stack_trim_user(struct names *n, u32 pid, struct bcc_stack *s)
{
	struct sym sym;

	while (s->n && usyms_find(n->user, pid, s->ip[s->n - 1], &sym) == -ENOENT)
		s->n--;
}
