/*
 * Programs that lib/probe/attach.c attaches to many sites, one for each way of attaching. All do
 * the same, SITES(story): story(ctx, number) with the number of the site that fired.
 */
#ifndef SITE_BPF_H
#define SITE_BPF_H

#include "bcctool.bpf.h"

/* Where the kernel has no cookies: the address of a probe to its number; of a return, of ~address.
 */
HASH(site_of, u64, u32, 1);

/* Where the probe is that fired: a breakpoint's address is the one after it on x86. */
static __always_inline u64 site_address(struct pt_regs *ctx)
{
#ifdef __TARGET_ARCH_x86
	return PT_REGS_IP(ctx) - 1;
#else
	return PT_REGS_IP(ctx);
#endif
}

static __always_inline u32 *site_by_address(struct pt_regs *ctx)
{
	u64 at = site_address(ctx);
	u32 *number = bpf_map_lookup_elem(&site_of, &at);

	if (number)
		return number;
	at = ~bpf_get_func_ip(ctx); /* a return: PT_REGS_IP is where to */
	return bpf_map_lookup_elem(&site_of, &at);
}

/* lib/probe/attach.c puts a site's number in its place. */
static __always_inline u32 site_number(void)
{
	u32 number;

	asm volatile("%0 = 0x517e0000" : "=r"(number));
	return number;
}

#define SITES(story) SITES_APART(story, story)

/* Where the fields of tracepoints are read: their programs may not look further than these go. */
#define SITES_APART(story, tracepoint)                                                             \
	SEC("kprobe.multi") int site_multi(struct pt_regs *ctx)                                    \
	{                                                                                          \
		return story(ctx, bpf_get_attach_cookie(ctx));                                     \
	}                                                                                          \
	SEC("kprobe") int site_umulti(struct pt_regs *ctx)                                         \
	{                                                                                          \
		return story(ctx, bpf_get_attach_cookie(ctx));                                     \
	}                                                                                          \
	SEC("kprobe") int site_perf(struct pt_regs *ctx)                                           \
	{                                                                                          \
		return story(ctx, bpf_get_attach_cookie(ctx));                                     \
	}                                                                                          \
	SEC("tracepoint") int site_tracepoint(void *ctx)                                           \
	{                                                                                          \
		return tracepoint(ctx, bpf_get_attach_cookie(ctx));                                \
	}                                                                                          \
	SEC("raw_tp") int site_raw(void *ctx)                                                      \
	{                                                                                          \
		return story(ctx, site_number());                                                  \
	}                                                                                          \
	SEC("kprobe") int site_event(struct pt_regs *ctx)                                          \
	{                                                                                          \
		u32 *number = site_by_address(ctx);                                                \
                                                                                                   \
		return number ? story(ctx, *number) : 0;                                           \
	}

#endif
