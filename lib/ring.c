#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/bpf.h>

#include "ring.h"
#include "util.h"

struct ring {
	ring_fn *fn;
	void *ctx;
	int fd;
	u64 size;
	unsigned long *consumer; /* ours to write */
	const unsigned long *producer;
	const char *data;

	struct perf_buffer *perf;
	u64 lost;
	long seen;
	bool stop;
};

static void perf_record(void *ctx, int cpu, void *record, u32 size)
{
	struct ring *r = ctx;

	(void)cpu;
	r->seen++;
	r->stop |= !r->fn(r->ctx, record, size);
}

static void perf_lost(void *ctx, int cpu, __u64 n)
{
	(void)cpu;
	((struct ring *)ctx)->lost += n;
}

struct ring *ring_open(struct bpf_map *map, bool perf, ring_fn *fn, void *ctx)
{
	struct ring *r = xcalloc(1, sizeof(*r));
	size_t page = sysconf(_SC_PAGESIZE);
	size_t tail;

	*r = (struct ring){ .fn = fn, .ctx = ctx, .fd = bpf_map__fd(map) };
	if (perf) {
		r->perf = perf_buffer__new(r->fd, 64, perf_record, perf_lost, r, NULL);
		if (r->perf)
			return r;
		free(r);
		return NULL;
	}
	r->size = bpf_map__max_entries(map);
	tail = r->size < RING_RECORD_MAX ? r->size : RING_RECORD_MAX;
	r->consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->consumer != MAP_FAILED)
		r->producer = mmap(NULL, page + r->size + tail, PROT_READ, MAP_SHARED, r->fd, page);
	if (r->consumer == MAP_FAILED || r->producer == MAP_FAILED) {
		free(r);
		return NULL;
	}
	r->data = (const char *)r->producer + page;
	return r;
}

long ring_read(struct ring *r)
{
	unsigned long at, end;
	long n = 0;

	if (r->perf) {
		long err = (r->seen = 0, perf_buffer__consume(r->perf));

		return err < 0 ? err : r->seen;
	}
	at = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);
	for (bool go = true; go;) {
		end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
		if (at >= end)
			break;
		while (go && at < end) {
			const char *head = r->data + (at & (r->size - 1));
			u32 len = __atomic_load_n((const u32 *)head, __ATOMIC_ACQUIRE);

			if (len & BPF_RINGBUF_BUSY_BIT) /* a program is still writing it */
				return n;
			if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
				go = r->fn(r->ctx, head + BPF_RINGBUF_HDR_SZ, len);
				n++;
			}
			len &= ~BPF_RINGBUF_DISCARD_BIT;
			at += (len + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
			__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
		}
	}
	return n;
}

int ring_fd(const struct ring *r)
{
	return r->perf ? perf_buffer__epoll_fd(r->perf) : r->fd;
}

u64 ring_lost(const struct ring *r)
{
	return r->lost;
}
