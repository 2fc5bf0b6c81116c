/* Reads and writes of files that took long, as the VFS sees them. */
#include "bcctool.bpf.h"
#include "fsop.bpf.h"
#include "path.bpf.h"
#include "fileslower.h"

const volatile struct fileslower_conf conf;
PERCPU(scratch, struct fileslower_event);
EVENTS;

static __always_inline int slow(void *ctx, u32 kind, const struct fsop *op, s64 result, u64 ns)
{
	struct fileslower_event *e = scratch_here();

	if (!e || ns < conf.min_ns || (!conf.all_files && path_type(op->path) != S_IFREG))
		return 0;
	task_now(&e->task);
	e->lat_ns = ns;
	e->bytes = result;
	e->op = kind;
	e->unused = 0;
	path_names(&e->path, op->path, conf.full_path);
	if (e->path.len <= sizeof(e->path.file))
		emit(ctx, e, PATH_EVENT_SIZE(*e));
	return 0;
}

FSOPS_VFS(slow)
