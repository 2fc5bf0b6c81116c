/* Pages of the page cache, or folios, which are their first pages by another name since 5.16. */
#ifndef FOLIO_BPF_H
#define FOLIO_BPF_H

static __always_inline bool page_has(struct page *page, u32 flag)
{
	return BPF_CORE_READ(page, flags) >> (flag & 63) & 1;
}

/* How many pages a folio has, or a page that is the first of some. */
static __always_inline u32 folio_pages(void *folio)
{
	struct folio *f = folio;

	if (!bpf_core_type_exists(struct folio) || !bpf_core_field_exists(f->_folio_nr_pages) ||
	    !page_has(folio, bpf_core_enum_value(enum pageflags, PG_head)))
		return 1;
	return BPF_CORE_READ(f, _folio_nr_pages);
}

/* The first page of those that a page belongs to. */
static __always_inline struct page *folio_of(struct page *page)
{
	u64 head = BPF_CORE_READ(page, compound_head);

	return head & 1 ? (void *)(head - 1) : page;
}

/* Is it of a file on a disk? Not of tmpfs, nor anonymous, nor memory of a driver. */
static __always_inline bool folio_of_file(struct page *folio)
{
	u64 mapping = (u64)BPF_CORE_READ(folio, mapping);

	return mapping && !(mapping & 3) &&
	       !page_has(folio, bpf_core_enum_value(enum pageflags, PG_swapbacked));
}

#endif
