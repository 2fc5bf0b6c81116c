/* A request is reported when it is done: by whom it was submitted, how long it was queued and
 * issued. */
#include "bcctool.bpf.h"
#include "iosubmitter.bpf.h"
#include "biosnoop.h"

struct io {
	struct bcc_task task; /* its time: when it was submitted; 0: not seen */
	u64 issued, sector;
	u32 bytes;
	u8 op, pattern;
};

const volatile struct biosnoop_conf conf;
HASH(requests, u64, struct io, 10240);
HASH(next_sectors, u64, u64, 1024); /* by disk: behind the last request that was issued */
EVENTS;

static __always_inline u8 pattern_of(struct request *rq, const struct io *io, bool typed)
{
	u64 disk = (u64)io_disk(rq, typed), next = io->sector + io->bytes / 512;
	u64 *last = bpf_map_lookup_elem(&next_sectors, &disk);
	u8 pattern = !last                 ? PATTERN_UNKNOWN
		     : *last == io->sector ? PATTERN_SEQUENTIAL
					   : PATTERN_RANDOM;

	begin(&next_sectors, &disk, &next);
	return pattern;
}

static __always_inline int on_issue(struct request *rq, bool typed)
{
	struct io io = {}, *before;
	u64 key = (u64)rq;
	bool seen;

	if (!io_wanted(rq, &conf.disk, typed))
		return 0;
	io.issued = bpf_ktime_get_ns();
	seen = io_submitter(rq, &io.task, typed);
	before = seen ? NULL : bpf_map_lookup_elem(&requests, &key);
	if (before) { /* issued again, after the driver was too busy for it */
		before->issued = io.issued;
		return 0;
	}
	io.op = IO_OP(FIELD(typed, rq, cmd_flags));
	if (io.op != IO_OP_FLUSH) {
		io.sector = FIELD(typed, rq, __sector);
		io.bytes = FIELD(typed, rq, __data_len);
		io.pattern = pattern_of(rq, &io, typed);
	}
	if (seen || !io_particular())
		begin(&requests, &key, &io);
	return 0;
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
	else if (io->issued >= io->task.time)
		e.queue_ns = io->issued - io->task.time;
	else
		lose(LOST_CLOCK);
	e.sector = io->sector;
	e.bytes = io->bytes;
	e.op = io->op;
	e.pattern = io->pattern;
	io_disk_name(e.disk, rq, typed);
	emit(ctx, &e, sizeof(e));
}

static __always_inline int on_done(void *ctx, struct request *rq, u32 bytes, bool typed)
{
	u64 key = (u64)rq;
	struct io *io;

	if (!io_finished(rq, bytes, typed))
		return 0;
	io = bpf_map_lookup_elem(&requests, &key);
	if (io) {
		report(ctx, rq, io, typed);
		bpf_map_delete_elem(&requests, &key);
	} else if (!bytes) {
		struct bcc_task task;

		io_submitter(rq, &task, typed); /* a flush that needs no request is never issued */
	}
	return 0;
}

SEC("tp_btf/block_rq_issue")
int issued(void *ctx)
{
	return on_issue(io_arg(ctx), true);
}

SEC("raw_tp/block_rq_issue")
int issued_raw(void *ctx)
{
	return on_issue(io_arg(ctx), false);
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(done, struct request *rq, int error, unsigned int bytes)
{
	return on_done(ctx, rq, bytes, true);
}

SEC("raw_tp/block_rq_complete")
int BPF_PROG(done_raw, struct request *rq, int error, unsigned int bytes)
{
	return on_done(ctx, rq, bytes, false);
}
