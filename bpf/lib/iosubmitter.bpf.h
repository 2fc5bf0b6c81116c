/*
 * Who submitted a request. Only where the request is made is that the current task: it may be
 * issued by a kworker. Since 6.5 a tracepoint there has the request; before, block_getrq has the
 * first bio it is made of. (Writing back a cached file is submitted by a kworker indeed.)
 */
#ifndef IOSUBMITTER_BPF_H
#define IOSUBMITTER_BPF_H

#include "iorequest.bpf.h"

/* By the address of the request or bio; and by disk, who last wanted a flush. */
HASH(submitters, u64, struct bcc_task, 10240);
HASH(flushers, u64, struct bcc_task, 256);
bool by_bio; /* the first are bios */

static __always_inline void submitted(void *what, struct gendisk *disk, u32 flags)
{
	u64 key = (u64)what, disk_key = (u64)disk;
	struct bcc_task task = {};

	if (!wanted()) {
		bpf_map_delete_elem(&submitters, &key);
		if (flags & IO_WITH_FLUSH)
			bpf_map_delete_elem(&flushers, &disk_key);
		return;
	}
	task_now(&task);
	begin(&submitters, &key, &task);
	if (flags & IO_WITH_FLUSH)
		begin(&flushers, &disk_key, &task);
}

/* For block_io_start. */
static __always_inline void io_submitted(struct request *rq, bool typed)
{
	submitted(rq, io_disk(rq, typed), FIELD(typed, rq, cmd_flags));
}

/* For block_getrq. */
static __always_inline void io_bio_submitted(struct bio *bio, bool typed)
{
	struct gendisk *disk = NULL;

	by_bio = true;
	if (bpf_core_field_exists(bio->bi_bdev))
		disk = typed ? bio->bi_bdev->bd_disk : BPF_CORE_READ(bio, bi_bdev, bd_disk);
	submitted(bio, disk, FIELD(typed, bio, bi_opf));
}

/* Takes the submitter of a request that is issued or merged; false if that was not seen. */
static __always_inline bool io_submitter(struct request *rq, struct bcc_task *task, bool typed)
{
	u64 key = (u64)rq;
	struct bcc_task *found = bpf_map_lookup_elem(&submitters, &key);
	struct bio *bio = by_bio ? FIELD(typed, rq, bio) : NULL;

	/* A bio that was merged in front of the first comes before it. */
	for (int i = 0; i < IO_MERGED_BIOS && bio && !found; i++) {
		key = (u64)bio;
		found = bpf_map_lookup_elem(&submitters, &key);
		bio = BPF_CORE_READ(bio, bi_next);
	}
	if (found) {
		*task = *found;
		bpf_map_delete_elem(&submitters, &key);
		return true;
	}
	if (IO_OP(FIELD(typed, rq, cmd_flags)) != IO_OP_FLUSH)
		return false;
	key = (u64)io_disk(rq, typed);
	found = bpf_map_lookup_elem(&flushers, &key);
	if (found)
		*task = *found;
	return found;
}

SEC("tp_btf/block_io_start")
int BPF_PROG(made_by, struct request *rq)
{
	io_submitted(rq, true);
	return 0;
}

SEC("raw_tp/block_io_start")
int BPF_PROG(made_by_raw, struct request *rq)
{
	io_submitted(rq, false);
	return 0;
}

SEC("tp_btf/block_getrq")
int made_of(void *ctx)
{
	io_bio_submitted(io_arg(ctx), true);
	return 0;
}

SEC("raw_tp/block_getrq")
int made_of_raw(void *ctx)
{
	io_bio_submitted(io_arg(ctx), false);
	return 0;
}

SEC("tp_btf/block_rq_merge")
int merge(void *ctx)
{
	struct bcc_task task;

	io_submitter(io_arg(ctx), &task, true);
	return 0;
}

SEC("raw_tp/block_rq_merge")
int merge_raw(void *ctx)
{
	struct bcc_task task;

	io_submitter(io_arg(ctx), &task, false);
	return 0;
}

#endif
