/*
 * From when a request is made until it is done, by the stack that made it. Before 6.5 its first bio
 * stands for it until it is issued.
 */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "iorequest.bpf.h"
#include "stack.bpf.h"
#include "biostacks.h"

struct origin {
	u64 since, kernel;
	u32 pid;
	char comm[COMM_LEN];
	u32 unused;
};

const volatile struct biostacks_conf conf;
HASH(origins, u64, struct origin, 10240); /* by the address of the request or bio */
TABLE(hists, struct biostacks_key, struct bcc_hist, 4096);

static __always_inline int on_made(void *ctx, void *what)
{
	u64 key = (u64)what;
	struct origin o = {};

	if (!wanted()) {
		bpf_map_delete_elem(&origins, &key);
		return 0;
	}
	o.since = bpf_ktime_get_ns();
	o.kernel = stack_kernel(ctx);
	o.pid = current_pid();
	current_comm(o.comm);
	begin(&origins, &key, &o);
	return 0;
}

/* The bio that the request was made for; one that was merged in front comes before it. */
static __always_inline u64 first_bio(struct request *rq, bool typed)
{
	struct bio *bio = FIELD(typed, rq, bio);

	for (int i = 0; i < IO_MERGED_BIOS && bio; i++) {
		u64 key = (u64)bio;

		if (bpf_map_lookup_elem(&origins, &key))
			return key;
		bio = BPF_CORE_READ(bio, bi_next);
	}
	return 0;
}

static __always_inline int on_issue(struct request *rq, bool typed)
{
	u64 bio = first_bio(rq, typed), key = (u64)rq;
	struct origin *o = bio ? bpf_map_lookup_elem(&origins, &bio) : NULL;

	if (!o)
		return 0;
	begin(&origins, &key, o);
	bpf_map_delete_elem(&origins, &bio);
	return 0;
}

/* It has become a part of another one. */
static __always_inline int on_merge(struct request *rq, bool typed)
{
	u64 bio = first_bio(rq, typed), key = (u64)rq;

	bpf_map_delete_elem(&origins, &bio);
	bpf_map_delete_elem(&origins, &key);
	return 0;
}

static __always_inline void measure(struct request *rq, const struct origin *o, bool typed)
{
	struct biostacks_key key = {};
	struct bcc_hist *hist;
	u64 ns;

	if (!io_wanted(rq, &conf.disk, typed) || !elapsed(o->since, &ns))
		return;
	key.kernel = o->kernel;
	key.pid = o->pid;
	__builtin_memcpy(key.comm, o->comm, sizeof(key.comm));
	io_disk_name(key.disk, rq, typed);
	hist = hists_at(&key);
	if (hist)
		hist_add(hist, ns / (conf.ms ? 1000000 : 1000));
}

static __always_inline int on_done(struct request *rq, u32 bytes, bool typed)
{
	u64 key = (u64)rq;
	struct origin *o;

	if (!io_finished(rq, bytes, typed) || io_in_flush(rq, typed))
		return 0;
	o = bpf_map_lookup_elem(&origins, &key);
	if (!o)
		return 0;
	measure(rq, o, typed);
	bpf_map_delete_elem(&origins, &key);
	return 0;
}

SEC("tp_btf/block_io_start")
int BPF_PROG(made, struct request *rq)
{
	return on_made(ctx, rq);
}

SEC("raw_tp/block_io_start")
int BPF_PROG(made_raw, struct request *rq)
{
	return on_made(ctx, rq);
}

SEC("tp_btf/block_getrq")
int made_for(void *ctx)
{
	return on_made(ctx, io_arg(ctx));
}

SEC("raw_tp/block_getrq")
int made_for_raw(void *ctx)
{
	return on_made(ctx, io_arg(ctx));
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

SEC("tp_btf/block_rq_merge")
int merged(void *ctx)
{
	return on_merge(io_arg(ctx), true);
}

SEC("raw_tp/block_rq_merge")
int merged_raw(void *ctx)
{
	return on_merge(io_arg(ctx), false);
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
