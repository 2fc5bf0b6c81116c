/*
 * Requests from their issue to their end. IO_LIFE(disk, issue, end) makes the programs:
 *   issue(rq, io, typed)      once a request, when the driver first gets it;
 *   end(ctx, rq, io, typed)   when all of it is done. io->issued is its last issue.
 * Only on the `disk` that is wanted, and where the user was particular about tasks, theirs.
 */
#ifndef IOLIFE_BPF_H
#define IOLIFE_BPF_H

#include "iosubmitter.bpf.h"

struct io {
	struct bcc_task task; /* its time: when it was submitted; 0: not seen */
	u64 issued, sector;
	u32 bytes;
	u8 op, pattern; /* the latter is issue()'s */
};

HASH(requests, u64, struct io, 10240);

/* Fills in what is known when a request is issued; false if it is not a new or a wanted one. */
static __always_inline bool io_issued(struct request *rq, struct io *io,
				      const volatile struct bcc_disk *disk, bool typed)
{
	u64 key = (u64)rq;
	struct io *before;
	bool seen;

	if (!io_wanted(rq, disk, typed))
		return false;
	io->issued = bpf_ktime_get_ns();
	seen = io_submitter(rq, &io->task, typed);
	before = seen ? NULL : bpf_map_lookup_elem(&requests, &key);
	if (before) { /* issued again, after the driver was too busy for it */
		before->issued = io->issued;
		return false;
	}
	io->op = IO_OP(FIELD(typed, rq, cmd_flags));
	if (io->op != IO_OP_FLUSH) {
		io->sector = FIELD(typed, rq, __sector);
		io->bytes = FIELD(typed, rq, __data_len);
	}
	return true;
}

/* The request that has ended; NULL if its issue was not seen. It is the caller's to delete. */
static __always_inline struct io *io_ended(struct request *rq, u32 bytes, bool typed)
{
	u64 key = (u64)rq;
	struct io *io;

	if (!io_finished(rq, bytes, typed))
		return NULL;
	io = bpf_map_lookup_elem(&requests, &key);
	if (!io && !bytes) {
		struct bcc_task task;

		io_submitter(rq, &task, typed); /* a flush that needs no request is never issued */
	}
	return io;
}

#define IO_LIFE(disk, issue, end)                                                                  \
	static __always_inline int io_issue(struct request *rq, bool typed)                        \
	{                                                                                          \
		struct io io = {};                                                                 \
		u64 key = (u64)rq;                                                                 \
                                                                                                   \
		if (!io_issued(rq, &io, disk, typed))                                              \
			return 0;                                                                  \
		issue(rq, &io, typed);                                                             \
		if (io.task.time || !filter.particular)                                            \
			begin(&requests, &key, &io);                                               \
		return 0;                                                                          \
	}                                                                                          \
	static __always_inline int io_end(void *ctx, struct request *rq, u32 bytes, bool typed)    \
	{                                                                                          \
		struct io *io = io_ended(rq, bytes, typed);                                        \
		u64 key = (u64)rq;                                                                 \
                                                                                                   \
		if (io) {                                                                          \
			end(ctx, rq, io, typed);                                                   \
			bpf_map_delete_elem(&requests, &key);                                      \
		}                                                                                  \
		return 0;                                                                          \
	}                                                                                          \
	SEC("tp_btf/block_rq_issue")                                                               \
	int issued(void *ctx)                                                                      \
	{                                                                                          \
		return io_issue(io_arg(ctx), true);                                                \
	}                                                                                          \
	SEC("raw_tp/block_rq_issue")                                                               \
	int issued_raw(void *ctx)                                                                  \
	{                                                                                          \
		return io_issue(io_arg(ctx), false);                                               \
	}                                                                                          \
	SEC("tp_btf/block_rq_complete")                                                            \
	int BPF_PROG(done, struct request *rq, int error, unsigned int bytes)                      \
	{                                                                                          \
		return io_end(ctx, rq, bytes, true);                                               \
	}                                                                                          \
	SEC("raw_tp/block_rq_complete")                                                            \
	int BPF_PROG(done_raw, struct request *rq, int error, unsigned int bytes)                  \
	{                                                                                          \
		return io_end(ctx, rq, bytes, false);                                              \
	}

#endif
