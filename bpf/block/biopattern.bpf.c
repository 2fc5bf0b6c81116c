/*
 * Requests in the order in which they are done: sequential is what begins where the one before it
 * on the disk ended. The first one of a disk is neither.
 */
#include "bcctool.bpf.h"
#include "iolife.bpf.h"
#include "biopattern.h"

const volatile struct biopattern_conf conf;
TABLE(rows, struct biopattern_key, struct biopattern_value, 1024);
HASH(next_sectors, u64, u64, 1024); /* by disk: behind the last request that was done */

static __always_inline void on_issue(struct request *rq, struct io *io, bool typed)
{
}

static __always_inline void count(void *ctx, struct request *rq, const struct io *io, bool typed)
{
	u64 disk = (u64)io_disk(rq, typed), next = io->sector + io->bytes / 512;
	struct biopattern_key key = {};
	struct biopattern_value *v;
	u64 *last;

	if (io->op == IO_OP_FLUSH) /* it is nowhere on the disk */
		return;
	last = bpf_map_lookup_elem(&next_sectors, &disk);
	if (!last) {
		begin(&next_sectors, &disk, &next);
		return;
	}
	io_disk_name(key.disk, rq, typed);
	v = rows_at(&key);
	if (v) {
		__sync_fetch_and_add(*last == io->sector ? &v->sequential : &v->random, 1);
		__sync_fetch_and_add(&v->bytes, io->bytes);
	}
	*last = next;
}

IO_LIFE(&conf.disk, on_issue, count)
