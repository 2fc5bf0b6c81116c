/*
 * From the (last) issue of a request to the driver until it is done; with -Q from the moment it is
 * made, a flush before it included. (One after it, for a device that cannot write through, is
 * included before 6.5 only: since then the first end of a request is taken.)
 */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "iosubmitter.bpf.h"
#include "biolatency.h"

const volatile struct biolatency_conf conf;
HASH(since, u64, u64, 10240);
TABLE(hists, struct biolatency_key, struct bcc_hist, 1024);

static __always_inline int start(struct request *rq, bool typed)
{
	u64 key = (u64)rq, now = bpf_ktime_get_ns();

	if (io_wanted(rq, &conf.disk, typed))
		begin(&since, &key, &now);
	return 0;
}

static __always_inline int on_issue(struct request *rq, bool typed)
{
	struct bcc_task task;

	if (filter.particular && !io_submitter(rq, &task, typed))
		return 0;
	return start(rq, typed);
}

static __always_inline void measure(struct request *rq, u64 from, bool typed)
{
	struct biolatency_key key = {};
	struct bcc_hist *hist;
	u64 ns;

	if (!elapsed(from, &ns))
		return;
	if (conf.by_disk)
		io_disk_name(key.disk, rq, typed);
	if (conf.by_flags)
		key.flags = FIELD(typed, rq, cmd_flags) & conf.flags;
	hist = hists_at(&key);
	if (hist)
		hist_add(hist, ns / (conf.ms ? 1000000 : 1000));
}

static __always_inline int on_done(struct request *rq, u32 bytes, bool typed)
{
	u64 key = (u64)rq, *from;

	if (!io_finished(rq, bytes, typed))
		return 0;
	from = bpf_map_lookup_elem(&since, &key);
	if (from) {
		measure(rq, *from, typed);
		bpf_map_delete_elem(&since, &key);
	}
	return 0;
}

/* Before 6.5 no program sees a request being made, but the request says when that was. */
static __always_inline int on_done_made(struct request *rq, u32 bytes, bool typed)
{
	struct bcc_task task;
	u64 made = FIELD(typed, rq, start_time_ns);

	if (!io_finished(rq, bytes, typed) || io_in_flush(rq, typed) ||
	    !io_wanted(rq, &conf.disk, typed))
		return 0;
	if (filter.particular && !io_submitter(rq, &task, typed))
		return 0;
	if (made)
		measure(rq, made, typed);
	else
		lose(LOST_START); /* queue/iostats is 0 */
	return 0;
}

SEC("tp_btf/block_io_start")
int BPF_PROG(made, struct request *rq)
{
	return wanted() ? start(rq, true) : 0;
}

SEC("raw_tp/block_io_start")
int BPF_PROG(made_raw, struct request *rq)
{
	return wanted() ? start(rq, false) : 0;
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
	return on_done(rq, bytes, true);
}

SEC("raw_tp/block_rq_complete")
int BPF_PROG(done_raw, struct request *rq, int error, unsigned int bytes)
{
	return on_done(rq, bytes, false);
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(done_made, struct request *rq, int error, unsigned int bytes)
{
	return on_done_made(rq, bytes, true);
}

SEC("raw_tp/block_rq_complete")
int BPF_PROG(done_made_raw, struct request *rq, int error, unsigned int bytes)
{
	return on_done_made(rq, bytes, false);
}
