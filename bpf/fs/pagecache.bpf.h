/*
 * What happens in the page cache, page by page, in words of enum pagecache. Whoever includes this
 * has defined `static __always_inline void count(enum pagecache what, u64 pages)`; the current task
 * is the one that reads, writes or takes the fault.
 *
 * folio_mark_accessed() would tell of reads, too, but it is also called where a mapping ends, for
 * every page of it: any process that exits would seem to read some thousand pages.
 */
#ifndef PAGECACHE_BPF_H
#define PAGECACHE_BPF_H

#include "folio.bpf.h"

#define S_IFMT        00170000
#define S_IFBLK       0060000
#define GFP_WRITE     0x1000u  /* ___GFP_WRITE: of pages that are about to be written */
#define GFP_READAHEAD 0x12000u /* ___GFP_NORETRY and ___GFP_NOWARN: readahead_gfp_mask() */

const volatile u32 page_shift = 12;

struct file_read {
	struct kiocb *iocb;
	u64 from;
};

HASH(file_reads, u32, struct file_read, 10240);

static __always_inline int on_read(u64 from, u64 to)
{
	u32 shift = page_shift & 31;

	if (to > from && wanted())
		count(CACHE_USED, ((to - 1) >> shift) - (from >> shift) + 1);
	return 0;
}

/*
 * A block device's pages are also where file systems keep what they know of their files. They are
 * looked up at every turn, so that what is read for that is not counted as a miss; but readahead is
 * somebody who reads the device.
 */
static __always_inline bool is_metadata(struct address_space *mapping, u32 gfp)
{
	u16 mode = BPF_CORE_READ(mapping, host, i_mode);

	return (mode & S_IFMT) == S_IFBLK && (gfp & GFP_READAHEAD) != GFP_READAHEAD;
}

static __always_inline int on_add(struct address_space *mapping, struct page *folio, u32 gfp)
{
	bool swapbacked = page_has(folio, bpf_core_enum_value(enum pageflags, PG_swapbacked));

	if (swapbacked || !wanted())
		return 0;
	if (gfp & GFP_WRITE)
		count(CACHE_WRITTEN, folio_pages(folio));
	else if (!is_metadata(mapping, gfp))
		count(CACHE_READ, folio_pages(folio));
	return 0;
}

static __always_inline int on_map(struct page *folio, u64 pages)
{
	if (folio_of_file(folio) && wanted())
		count(CACHE_USED, pages);
	return 0;
}

static __always_inline int on_dirty(void *folio)
{
	if (wanted())
		count(CACHE_DIRTIED, folio_pages(folio));
	return 0;
}

/* Reads: where the file's position is behind what was read. */
SEC("fexit/filemap_read")
int BPF_PROG(file_read, struct kiocb *iocb, void *iter, s64 already, s64 ret)
{
	u64 end = iocb->ki_pos;

	return ret > already ? on_read(end - (ret - already), end) : 0;
}

SEC("kprobe/filemap_read")
int BPF_KPROBE(file_read_begin, struct kiocb *iocb)
{
	struct file_read r = { iocb, BPF_CORE_READ(iocb, ki_pos) };
	u32 tid = current_tid();

	if (wanted())
		begin(&file_reads, &tid, &r);
	return 0;
}

SEC("kretprobe/filemap_read")
int BPF_KRETPROBE(file_read_end)
{
	u32 tid = current_tid();
	struct file_read *r = bpf_map_lookup_elem(&file_reads, &tid);

	if (!r)
		return 0;
	on_read(r->from, BPF_CORE_READ(r->iocb, ki_pos));
	bpf_map_delete_elem(&file_reads, &tid);
	return 0;
}

/* Its name before 5.12. */
SEC("fexit/generic_file_buffered_read")
int BPF_PROG(old_file_read, struct kiocb *iocb, void *iter, s64 already, s64 ret)
{
	u64 end = iocb->ki_pos;

	return ret > already ? on_read(end - (ret - already), end) : 0;
}

/* sendfile(2) and splice(2), which before 6.5 end in filemap_read(). */
SEC("?fexit/filemap_splice_read")
int BPF_PROG(file_spliced, struct file *in, loff_t *pos, void *pipe, size_t len, u32 flags, s64 ret)
{
	u64 end = 0;

	if (ret <= 0 || bpf_probe_read_kernel(&end, sizeof(end), pos))
		return 0;
	return on_read(end - ret, end);
}

/* Faults: the page that was asked for, and those around it that are mapped with it. */
SEC("fentry/folio_add_file_rmap_ptes")
int BPF_PROG(folio_mapped, struct page *folio, void *page, int pages)
{
	return on_map(folio, pages);
}

SEC("fentry/page_add_file_rmap")
int BPF_PROG(page_mapped, struct page *page)
{
	return on_map(folio_of(page), 1);
}

SEC("kprobe/folio_add_file_rmap_ptes")
int BPF_KPROBE(folio_mapped_probe, struct page *folio, void *page, int pages)
{
	return on_map(folio, pages);
}

SEC("kprobe/page_add_file_rmap")
int BPF_KPROBE(page_mapped_probe, struct page *page)
{
	return on_map(folio_of(page), 1);
}

/* What comes in. */
SEC("fexit/filemap_add_folio")
int BPF_PROG(added, struct address_space *mapping, struct page *folio, unsigned long index, u32 gfp,
	     int err)
{
	return err ? 0 : on_add(mapping, folio, gfp);
}

SEC("kprobe/filemap_add_folio")
int BPF_KPROBE(added_probe, struct address_space *mapping, struct page *folio, unsigned long index,
	       u32 gfp)
{
	return on_add(mapping, folio, gfp);
}

/* Before 5.16 */
SEC("fexit/add_to_page_cache_lru")
int BPF_PROG(page_added, struct page *page, struct address_space *mapping, unsigned long index,
	     u32 gfp, int err)
{
	return err ? 0 : on_add(mapping, page, gfp);
}

SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(dirtied, void *folio)
{
	return on_dirty(folio);
}

SEC("raw_tp/writeback_dirty_folio")
int BPF_PROG(dirtied_raw, void *folio)
{
	return on_dirty(folio);
}

/* Before 5.18 */
SEC("raw_tp/writeback_dirty_page")
int BPF_PROG(dirtied_page, void *page)
{
	return on_dirty(page);
}

#endif
