/* Calls of malloc(size), by size. */
#include "bcctool.bpf.h"
#include "site.bpf.h"
#include "cobjnew.h"

TABLE(rows, u64, struct cobjnew_value, 16384);

static __always_inline int allocate(struct pt_regs *ctx, u32 site)
{
	u64 size = PT_REGS_PARM1(ctx);
	struct cobjnew_value *v;

	if (!wanted())
		return 0;
	v = rows_at(&size);
	if (v) {
		__sync_fetch_and_add(&v->count, 1);
		__sync_fetch_and_add(&v->bytes, size);
	}
	return 0;
}

SITES(allocate)
