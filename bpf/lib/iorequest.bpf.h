/*
 * Requests: what a block driver is given. The life of one, by tracepoints:
 *   block_getrq (a bio gets a request), block_io_start (6.5+: the same, with the request);
 *   block_rq_insert, where a scheduler or a busy driver makes it wait;
 *   block_rq_issue, each time the driver is given it;
 *   block_rq_complete, each time a part of it is done: finished() tells the last.
 * One that is merged into another ends with block_rq_merge. A flush that goes with a request is a
 * request of the kernel's own (REQ_OP_FLUSH), and has no beginning. The address of a request tells
 * it from all others until it is done; there is a fixed set of them, so that what a map keeps
 * for one that ended unseen is soon overwritten, and never more than the device has requests.
 */
#ifndef IOREQUEST_BPF_H
#define IOREQUEST_BPF_H

#include "disk.h"

#define IO_OP(flags)   ((flags)&0xff)
#define IO_OP_FLUSH    2
#define IO_OP_DRIVER   32 /* and above: a command of a driver, such as an inquiry */
#define IO_WITH_FLUSH  (1 << 17 | 1 << 18) /* REQ_FUA, REQ_PREFLUSH */
#define IO_MERGED_BIOS 16

/*
 * The request (or bio) of block_getrq, block_rq_insert, issue and merge: it comes after its queue
 * before 5.11, which also is when struct hd_struct went. Not ctx[i]: the compiler would make one
 * load of both, at an offset that the verifier cannot know.
 */
static __always_inline void *io_arg(void *ctx)
{
	u64 arg;

	if (bpf_core_type_exists(struct hd_struct))
		asm volatile("%0 = *(u64 *)(%1 + 8)" : "=r"(arg) : "r"(ctx));
	else
		asm volatile("%0 = *(u64 *)(%1 + 0)" : "=r"(arg) : "r"(ctx));
	return (void *)arg;
}

static __always_inline struct gendisk *io_disk(struct request *rq, bool typed)
{
	struct request___5_16 *old = (void *)rq;

	if (bpf_core_field_exists(old->rq_disk))
		return typed ? old->rq_disk : BPF_CORE_READ(old, rq_disk);
	return typed ? rq->q->disk : BPF_CORE_READ(rq, q, disk);
}

/* Is it I/O, and on the disk asked for? */
static __always_inline bool io_wanted(struct request *rq, const volatile struct bcc_disk *disk,
				      bool typed)
{
	struct gendisk *d;

	if (IO_OP(FIELD(typed, rq, cmd_flags)) >= IO_OP_DRIVER)
		return false;
	if (!disk->set)
		return true;
	d = io_disk(rq, typed);
	return d && FIELD(typed, d, major) == disk->major &&
	       FIELD(typed, d, first_minor) == disk->minor;
}

/* At block_rq_complete of `bytes`: was that the rest of it? */
static __always_inline bool io_finished(struct request *rq, u32 bytes, bool typed)
{
	return bytes >= FIELD(typed, rq, __data_len);
}

/*
 * Until 6.10, where this flag (RQF_FLUSH_SEQ) is a macro: is this completion that of a step of a
 * flush? One of the whole follows.
 */
static __always_inline bool io_in_flush(struct request *rq, bool typed)
{
	return FIELD(typed, rq, rq_flags) & 1 << 4;
}

static __always_inline void io_disk_name(char name[32], struct request *rq, bool typed)
{
	struct gendisk *disk = io_disk(rq, typed);

	if (disk)
		bpf_probe_read_kernel_str(name, 32, disk->disk_name);
}

#endif
