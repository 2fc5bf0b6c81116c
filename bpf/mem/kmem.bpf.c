/* Allocations by the slab allocator and of pages: how much each stack asked for. */
#include "bcctool.bpf.h"
#include "stack.bpf.h"
#include "kmem.h"

TABLE(counts, struct kmem_key, struct kmem_value, 16384);

static __always_inline int count(void *ctx, u64 amount)
{
	struct kmem_value *v;
	struct kmem_key key = {};

	if (!wanted())
		return 0;
	key.kernel = stack_kernel_bare(ctx);
	current_comm(key.comm);
	v = counts_at(&key);
	if (v) {
		__sync_fetch_and_add(&v->bytes, amount);
		__sync_fetch_and_add(&v->count, 1);
	}
	return 0;
}

SEC("tracepoint/kmem/kmalloc")
int kmalloc(struct trace_event_raw_kmalloc *t)
{
	return t->ptr ? count(t, t->bytes_alloc) : 0;
}

SEC("tracepoint/kmem/kmem_cache_alloc")
int cache_alloc(struct trace_event_raw_kmalloc *t)
{
	return t->ptr ? count(t, t->bytes_alloc) : 0;
}

/* Until 6.0, those for a certain NUMA node had tracepoints of their own. */
SEC("?tracepoint/kmem/kmalloc_node")
int kmalloc_node(struct trace_event_raw_kmalloc *t)
{
	return t->ptr ? count(t, t->bytes_alloc) : 0;
}

SEC("?tracepoint/kmem/kmem_cache_alloc_node")
int cache_alloc_node(struct trace_event_raw_kmalloc *t)
{
	return t->ptr ? count(t, t->bytes_alloc) : 0;
}

SEC("tracepoint/kmem/mm_page_alloc")
int page_alloc(struct trace_event_raw_mm_page_alloc *t)
{
	return t->pfn != -1ul ? count(t, 1ull << (t->order & 31)) : 0;
}
