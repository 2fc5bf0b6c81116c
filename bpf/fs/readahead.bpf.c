/*
 * From when a page is put into the page cache by readahead until it is used for the first time:
 * read (marked as accessed) or mapped into a process. Readahead also looks for where on the disk a
 * file is, and what it puts there for that is of another file (the disk): those pages do not count.
 */
#include "bcctool.bpf.h"
#include "folio.bpf.h"
#include "hist.bpf.h"
#include "readahead.h"

struct ahead {
	u64 since, pages;
};

HASH(reading, u32, u64, 10240);        /* by thread: the file that it reads ahead */
HASH(ahead, u64, struct ahead, 65536); /* by folio: not used yet */
TABLE(hists, u32, struct readahead_value, 1);

static __always_inline int on_begin(struct readahead_control *control, bool typed)
{
	u64 mapping = (u64)FIELD(typed, control, mapping);
	u32 tid = current_tid();

	if (wanted())
		begin(&reading, &tid, &mapping);
	return 0;
}

static __always_inline int on_end(void)
{
	u32 tid = current_tid();

	bpf_map_delete_elem(&reading, &tid);
	return 0;
}

static __always_inline int on_add(struct address_space *mapping, void *folio)
{
	u32 tid = current_tid(), zero = 0;
	u64 *file = bpf_map_lookup_elem(&reading, &tid), key = (u64)folio;
	struct ahead new = {};
	struct readahead_value *v;

	if (!file || *file != (u64)mapping)
		return 0;
	new.since = bpf_ktime_get_ns();
	new.pages = folio_pages(folio);
	if (bpf_map_update_elem(&ahead, &key, &new, BPF_ANY)) {
		lose(LOST_START); /* not counted as unused: nobody would know of its use */
		return 0;
	}
	v = hists_at(&zero);
	if (v) {
		__sync_fetch_and_add(&v->pages, new.pages);
		__sync_fetch_and_add(&v->unused, new.pages);
	}
	return 0;
}

static __always_inline int on_use(void *folio)
{
	u64 key = (u64)folio, ns;
	struct ahead *a = bpf_map_lookup_elem(&ahead, &key);
	struct readahead_value *v;
	u32 zero = 0;

	if (!a)
		return 0;
	v = hists_at(&zero);
	if (v && elapsed(a->since, &ns)) {
		u64 ms = ns / 1000000;

		__sync_fetch_and_add(&v->hist.slots[log2_slot(ms)], a->pages);
		__sync_fetch_and_add(&v->hist.sum, ms * a->pages);
		__sync_fetch_and_add(&v->unused, -a->pages);
	}
	bpf_map_delete_elem(&ahead, &key);
	return 0;
}

/* It leaves the page cache: if it was not used, it stays counted as that. */
static __always_inline int on_remove(void *folio)
{
	u64 key = (u64)folio;

	bpf_map_delete_elem(&ahead, &key);
	return 0;
}

/* Since 5.10; page_cache_ra_order() may call page_cache_ra_unbounded() as the last it does. */
#define WINDOW(function, name)                                                                     \
	SEC("fentry/" #function)                                                                   \
	int BPF_PROG(name##_begin, struct readahead_control *control)                              \
	{                                                                                          \
		return on_begin(control, true);                                                    \
	}                                                                                          \
	SEC("fexit/" #function)                                                                    \
	int BPF_PROG(name##_end)                                                                   \
	{                                                                                          \
		return on_end();                                                                   \
	}                                                                                          \
	SEC("kprobe/" #function)                                                                   \
	int BPF_KPROBE(name##_begin_probe, struct readahead_control *control)                      \
	{                                                                                          \
		return on_begin(control, false);                                                   \
	}                                                                                          \
	SEC("kretprobe/" #function)                                                                \
	int BPF_KRETPROBE(name##_end_probe)                                                        \
	{                                                                                          \
		return on_end();                                                                   \
	}

WINDOW(page_cache_ra_unbounded, unbounded)
WINDOW(page_cache_ra_order, order)

SEC("fexit/filemap_add_folio")
int BPF_PROG(added, struct address_space *mapping, void *folio, unsigned long index, u32 gfp,
	     int err)
{
	return err ? 0 : on_add(mapping, folio);
}

SEC("kprobe/filemap_add_folio")
int BPF_KPROBE(added_probe, struct address_space *mapping, void *folio)
{
	return on_add(mapping, folio);
}

/* Before 5.16 */
SEC("fexit/add_to_page_cache_lru")
int BPF_PROG(page_added, void *page, struct address_space *mapping, unsigned long index, u32 gfp,
	     int err)
{
	return err ? 0 : on_add(mapping, page);
}

#define USE(function, name, folio)                                                                 \
	SEC("fentry/" #function)                                                                   \
	int BPF_PROG(name, struct page *page)                                                      \
	{                                                                                          \
		return on_use(folio);                                                              \
	}                                                                                          \
	SEC("kprobe/" #function)                                                                   \
	int BPF_KPROBE(name##_probe, struct page *page)                                            \
	{                                                                                          \
		return on_use(folio);                                                              \
	}

USE(folio_mark_accessed, accessed, page)
USE(mark_page_accessed, page_accessed, page)
USE(folio_add_file_rmap_ptes, folio_mapped, page)
USE(page_add_file_rmap, page_mapped, folio_of(page))

SEC("tp_btf/mm_filemap_delete_from_page_cache")
int BPF_PROG(removed, void *folio)
{
	return on_remove(folio);
}

SEC("raw_tp/mm_filemap_delete_from_page_cache")
int BPF_PROG(removed_raw, void *folio)
{
	return on_remove(folio);
}
