#include <string.h>

#include "sym.h"

void sym_text(struct buf *b, const struct sym *sym, bool offset)
{
	const char *slash = sym->module ? strrchr(sym->module, '/') : NULL;

	if (sym->name)
		buf_str(b, sym->name);
	else if (sym->module)
		buf_str(b, slash ? slash + 1 : sym->module);
	else
		buf_str(b, "[unknown]");
	if (sym->name ? offset : sym->module != NULL) {
		buf_chr(b, '+');
		buf_hex(b, sym->offset);
	}
}

bool sym_better(const char *a, const char *b)
{
	size_t ua = strspn(a, "_"), ub = strspn(b, "_"), la, lb;

	if (ua != ub)
		return ua < ub;
	la = strlen(a);
	lb = strlen(b);
	return la != lb ? la < lb : strcmp(a, b) < 0;
}
