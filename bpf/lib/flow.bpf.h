#ifndef FLOW_BPF_H
#define FLOW_BPF_H

#include "flow.h"

#define AF_INET6    10
#define IPPROTO_TCP 6

/* Addresses are kept on the stack by 4 bytes: BTF-typed reads cannot be memcpy() from the kernel.
 */
#define FLOW_ADDR(to, typed, sk, field)                                                            \
	({                                                                                         \
		u32 *words = (u32 *)(to);                                                          \
                                                                                                   \
		words[0] = FIELD(typed, sk, field.in6_u.u6_addr32[0]);                             \
		words[1] = FIELD(typed, sk, field.in6_u.u6_addr32[1]);                             \
		words[2] = FIELD(typed, sk, field.in6_u.u6_addr32[2]);                             \
		words[3] = FIELD(typed, sk, field.in6_u.u6_addr32[3]);                             \
	})

static __always_inline void map_ipv4(u8 addr[16], __be32 ip)
{
	u32 *words = (u32 *)addr;

	words[0] = words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = ip;
}

/* The addresses are aligned to 4 bytes, as they are in a bcc_flow that begins with them. */
static __always_inline bool flow_is_ipv4(const u8 addr[16])
{
	const u32 *words = (const u32 *)addr;

	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

/* `typed` as in FIELD(). */
static __always_inline void flow_of(struct bcc_flow *f, struct sock *sk, bool typed)
{
	f->lport = FIELD(typed, sk, __sk_common.skc_num);
	if (!f->lport) /* closed already, though it may still hold what was received */
		f->lport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	f->rport = bpf_ntohs(FIELD(typed, sk, __sk_common.skc_dport));
	if (FIELD(typed, sk, __sk_common.skc_family) == AF_INET6) {
		FLOW_ADDR(f->laddr, typed, sk, __sk_common.skc_v6_rcv_saddr);
		FLOW_ADDR(f->raddr, typed, sk, __sk_common.skc_v6_daddr);
	} else {
		map_ipv4(f->laddr, FIELD(typed, sk, __sk_common.skc_rcv_saddr));
		map_ipv4(f->raddr, FIELD(typed, sk, __sk_common.skc_daddr));
	}
}

static __always_inline u8 flow_version(const struct bcc_flow *f)
{
	return flow_is_ipv4(f->raddr) ? 4 : 6;
}

static __always_inline bool wanted_flow(const volatile struct flow_filter *w,
					const struct bcc_flow *f)
{
	if ((w->ipv4 || w->ipv6) && (flow_is_ipv4(f->raddr) ? w->ipv6 : w->ipv4))
		return false;
	return listed(&w->lports, f->lport) && listed(&w->rports, f->rport);
}

static __always_inline u32 sock_protocol(struct sock *sk, bool typed)
{
	return typed ? BPF_CORE_READ_BITFIELD(sk, sk_protocol)
		     : BPF_CORE_READ_BITFIELD_PROBED(sk, sk_protocol);
}

/* Others share its functions and tracepoints: MPTCP, DCCP. */
static __always_inline bool is_tcp(struct sock *sk, bool typed)
{
	return sock_protocol(sk, typed) == IPPROTO_TCP;
}

/* The inode of the network namespace; 0 where the kernel has none. */
static __always_inline u32 sock_netns(struct sock *sk)
{
	if (!bpf_core_field_exists(sk->__sk_common.skc_net.net))
		return 0;
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/*
 * STATES(change): the programs that call change(ctx, sk, old, new, typed) when a connection's state
 * (TCP_*) is about to change; other protocols have the function and the tracepoint, too: is_tcp().
 */
#define STATES(change)                                                                             \
	SEC("tp_btf/inet_sock_set_state")                                                          \
	int BPF_PROG(changed, struct sock *sk, int old, int new)                                   \
	{                                                                                          \
		return change(ctx, sk, old, new, true);                                            \
	}                                                                                          \
	SEC("raw_tp/inet_sock_set_state")                                                          \
	int BPF_PROG(changed_raw, struct sock *sk, int old, int new)                               \
	{                                                                                          \
		return change(ctx, sk, old, new, false);                                           \
	}                                                                                          \
	/* Before 4.16. */                                                                         \
	SEC("kprobe/tcp_set_state")                                                                \
	int BPF_KPROBE(changed_kprobe, struct sock *sk, int new)                                   \
	{                                                                                          \
		return change(ctx, sk, BPF_CORE_READ(sk, __sk_common.skc_state), new, false);      \
	}

#endif
