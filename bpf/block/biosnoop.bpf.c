/* A request is reported when it is done: by whom it was submitted, how long it was queued and
 * issued. */
#include "bcctool.bpf.h"
#include "iolife.bpf.h"
#include "biosnoop.h"

const volatile struct biosnoop_conf conf;
HASH(next_sectors, u64, u64, 1024); /* by disk: behind the last request that was issued */
EVENTS;

static __always_inline void on_issue(struct request *rq, struct io *io, bool typed)
{
	u64 disk = (u64)io_disk(rq, typed), next = io->sector + io->bytes / 512;
	u64 *last = bpf_map_lookup_elem(&next_sectors, &disk);

	if (io->op == IO_OP_FLUSH)
		return;
	io->pattern = !last                 ? PATTERN_UNKNOWN
		      : *last == io->sector ? PATTERN_SEQUENTIAL
					    : PATTERN_RANDOM;
	begin(&next_sectors, &disk, &next);
}

static __always_inline void report(void *ctx, struct request *rq, const struct io *io, bool typed)
{
	struct biosnoop_event e = {};

	if (!elapsed(io->issued, &e.lat_ns) || e.lat_ns < conf.min_ns)
		return;
	e.task = io->task;
	e.task.time = io->issued + e.lat_ns;
	if (!io->task.time)
		e.task.comm[0] = '?';
	else
		between(io->task.time, io->issued, &e.queue_ns);
	e.sector = io->sector;
	e.bytes = io->bytes;
	e.op = io->op;
	e.pattern = io->pattern;
	io_disk_name(e.disk, rq, typed);
	emit(ctx, &e, sizeof(e));
}

IO_LIFE(&conf.disk, on_issue, report)
