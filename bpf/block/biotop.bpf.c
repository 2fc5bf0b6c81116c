/* A request counts when it is done, for who submitted it: its size, and its time in the driver. */
#include "bcctool.bpf.h"
#include "iolife.bpf.h"
#include "biotop.h"

const volatile struct biotop_conf conf;
TABLE(rows, struct biotop_key, struct biotop_value, 10240);

static __always_inline void on_issue(struct request *rq, struct io *io, bool typed)
{
}

static __always_inline void count(void *ctx, struct request *rq, const struct io *io, bool typed)
{
	struct gendisk *disk = io_disk(rq, typed);
	struct biotop_key key = { .pid = io->task.pid, .op = io->op };
	struct biotop_value *v;
	u64 ns;

	if (!elapsed(io->issued, &ns))
		return;
	if (io->task.time)
		__builtin_memcpy(key.comm, io->task.comm, sizeof(key.comm));
	else
		key.comm[0] = '?';
	if (disk) {
		key.major = FIELD(typed, disk, major);
		key.minor = FIELD(typed, disk, first_minor);
		io_disk_name(key.disk, rq, typed);
	}
	v = rows_at(&key);
	if (!v)
		return;
	__sync_fetch_and_add(&v->count, 1);
	__sync_fetch_and_add(&v->bytes, io->bytes);
	__sync_fetch_and_add(&v->total_ns, ns);
}

IO_LIFE(&conf.disk, on_issue, count)
