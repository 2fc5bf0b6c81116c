#include <string.h>

#include "demangle.h"
#include "sym.h"

void sym_text(struct buf *b, const struct sym *sym, bool offset)
{
	const char *slash = sym->module ? strrchr(sym->module, '/') : NULL;

	if (!sym->name)
		buf_str(b, !sym->module ? "[unknown]" : slash ? slash + 1 : sym->module);
	else if (!demangle(b, sym->name))
		buf_str(b, sym->name);
	if (sym->name ? offset : sym->module != NULL) {
		buf_chr(b, '+');
		buf_hex(b, sym->offset);
	}
	if (sym->file)
		buf_fmt(b, " (%s:%u)", sym->file, sym->line);
}

#define LOOK 256 /* a hostile name may have no end: looking at its start decides */

bool sym_better(const char *a, const char *b)
{
	size_t ua = 0, ub = 0, la = strnlen(a, LOOK), lb = strnlen(b, LOOK);

	while (ua < la && a[ua] == '_')
		ua++;
	while (ub < lb && b[ub] == '_')
		ub++;
	if (ua != ub)
		return ua < ub;
	return la != lb ? la < lb : memcmp(a, b, la) < 0;
}
