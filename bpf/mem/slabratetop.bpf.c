/*
 * Objects that are taken from the slab caches, by whichever function of the allocator's. All of
 * them are a kernel's entry points: none calls another. Since 6.10 their names end in _noprof.
 */
#include "bcctool.bpf.h"
#include "slabratetop.h"

TABLE(rows, struct slabratetop_key, struct slabratetop_value, 4096);

static __always_inline int count(struct kmem_cache *cache, s64 objects, bool typed)
{
	struct slabratetop_key key = {};
	struct slabratetop_value *v;

	if (objects <= 0 || !wanted())
		return 0;
	bpf_probe_read_kernel_str(key.cache, sizeof(key.cache), FIELD(typed, cache, name));
	v = rows_at(&key);
	if (!v)
		return 0;
	__sync_fetch_and_add(&v->allocs, objects);
	__sync_fetch_and_add(&v->bytes, objects * FIELD(typed, cache, size));
	return 0;
}

#define ALLOC(function, name)                                                                      \
	SEC("fentry/" #function)                                                                   \
	int BPF_PROG(name, struct kmem_cache *cache)                                               \
	{                                                                                          \
		return count(cache, 1, true);                                                      \
	}                                                                                          \
	SEC("kprobe/" #function)                                                                   \
	int BPF_KPROBE(name##_probe, struct kmem_cache *cache)                                     \
	{                                                                                          \
		return count(cache, 1, false);                                                     \
	}

/* Many at once: all that were asked for, or none. */
#define BULK(function, name)                                                                       \
	SEC("fexit/" #function)                                                                    \
	int BPF_PROG(name, struct kmem_cache *cache, u32 flags, size_t size, void **p, int ret)    \
	{                                                                                          \
		return count(cache, ret, true);                                                    \
	}                                                                                          \
	SEC("kprobe/" #function)                                                                   \
	int BPF_KPROBE(name##_probe, struct kmem_cache *cache, u32 flags, size_t size)             \
	{                                                                                          \
		return count(cache, size, false);                                                  \
	}

ALLOC(kmem_cache_alloc, alloc)
ALLOC(kmem_cache_alloc_noprof, alloc_noprof)
ALLOC(kmem_cache_alloc_lru, lru)
ALLOC(kmem_cache_alloc_lru_noprof, lru_noprof)
ALLOC(kmem_cache_alloc_node, node)
ALLOC(kmem_cache_alloc_node_noprof, node_noprof)
BULK(kmem_cache_alloc_bulk, bulk)
BULK(kmem_cache_alloc_bulk_noprof, bulk_noprof)
