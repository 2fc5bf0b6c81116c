/*
 * Requests in the order in which they are done: sequential is what begins where the one before it
 * on the disk ended. The first one of a disk is neither. Unless somebody asks whose they are, the
 * end of a request tells all of it.
 */
#include "bcctool.bpf.h"
#include "iolife.bpf.h"
#include "biopattern.h"

struct part {
	u64 sector, bytes;
};

const volatile struct biopattern_conf conf;
TABLE(rows, struct biopattern_key, struct biopattern_value, 1024);
HASH(next_sectors, u64, u64, 1024);   /* by disk: behind the last request that was done */
HASH(parts, u64, struct part, 10240); /* what is done of requests that are not */
bool parted;                          /* there were such */

static __always_inline void count(struct request *rq, u64 sector, u64 bytes, bool typed)
{
	u64 disk = (u64)io_disk(rq, typed), next = sector + bytes / 512;
	u64 *last = bpf_map_lookup_elem(&next_sectors, &disk);
	struct biopattern_key key = {};
	struct biopattern_value *v;

	if (!last) {
		begin(&next_sectors, &disk, &next);
		return;
	}
	io_disk_name(key.disk, rq, typed); /* each time: another disk may come to its address */
	v = rows_at(&key);
	if (v) {
		__sync_fetch_and_add(*last == sector ? &v->sequential : &v->random, 1);
		__sync_fetch_and_add(&v->bytes, bytes);
	}
	*last = next;
}

static __always_inline void on_issue(struct request *rq, struct io *io, bool typed)
{
}

static __always_inline void on_end(void *ctx, struct request *rq, const struct io *io, bool typed)
{
	if (io->op != IO_OP_FLUSH) /* it is nowhere on the disk */
		count(rq, io->sector, io->bytes, typed);
}

IO_LIFE(&conf.disk, on_issue, on_end)

/* A flush has no bytes, nor has the second end of a write with a flush behind it. */
static __always_inline int on_done(struct request *rq, u32 bytes, bool typed)
{
	struct part done = { FIELD(typed, rq, __sector), bytes }, *part = NULL;
	u64 key = (u64)rq;

	if (!bytes || !io_wanted(rq, &conf.disk, typed))
		return 0;
	if (parted)
		part = bpf_map_lookup_elem(&parts, &key);
	if (part) {
		done.sector = part->sector;
		done.bytes += part->bytes;
	}
	if (!io_finished(rq, bytes, typed)) {
		parted = true;
		begin(&parts, &key, &done);
		return 0;
	}
	if (part)
		bpf_map_delete_elem(&parts, &key);
	count(rq, done.sector, done.bytes, typed);
	return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(done_alone, struct request *rq, int error, unsigned int bytes)
{
	return on_done(rq, bytes, true);
}

SEC("raw_tp/block_rq_complete")
int BPF_PROG(done_alone_raw, struct request *rq, int error, unsigned int bytes)
{
	return on_done(rq, bytes, false);
}
