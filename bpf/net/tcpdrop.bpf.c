/*
 * Packets of TCP that the kernel throws away, by their headers: what is dropped on its way in
 * mostly has no socket yet, or has been parted from it.
 */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "tcpdrop.h"

#define ETH_P_IP   0x0800
#define ETH_P_IPV6 0x86dd

const volatile struct tcpdrop_conf conf;
PERCPU(scratch, struct tcpdrop_event);
EVENTS;

/* Of the headers, what is shown: RFC 791, RFC 8200 (without extension headers), RFC 9293. */
struct ip4 {
	u8 unused[9], protocol;
	__sum16 check;
	__be32 saddr, daddr;
};

struct ip6 {
	u8 unused[6], protocol, hops;
	u8 saddr[16], daddr[16];
};

struct tcp {
	__be16 source, dest;
	__be32 seq, ack;
	u8 offset, flags;
};

static __always_inline bool addresses(struct tcpdrop_event *e, struct sk_buff *skb, void *header)
{
	u16 protocol = bpf_ntohs(BPF_CORE_READ(skb, protocol));
	struct ip4 ip4 = {};
	struct ip6 ip6 = {};

	if (protocol == ETH_P_IP && !bpf_probe_read_kernel(&ip4, sizeof(ip4), header)) {
		map_ipv4(e->saddr, ip4.saddr);
		map_ipv4(e->daddr, ip4.daddr);
		e->ip = 4;
		return ip4.protocol == IPPROTO_TCP;
	}
	if (protocol != ETH_P_IPV6 || bpf_probe_read_kernel(&ip6, sizeof(ip6), header))
		return false;
	__builtin_memcpy(e->saddr, ip6.saddr, sizeof(e->saddr));
	__builtin_memcpy(e->daddr, ip6.daddr, sizeof(e->daddr));
	e->ip = 6;
	return ip6.protocol == IPPROTO_TCP;
}

static __always_inline bool headers(struct tcpdrop_event *e, struct sk_buff *skb)
{
	u16 network = BPF_CORE_READ(skb, network_header);
	u16 transport = BPF_CORE_READ(skb, transport_header);
	unsigned char *head = BPF_CORE_READ(skb, head);
	struct tcp tcp = {};

	if (transport == (u16)-1 || transport <= network || !addresses(e, skb, head + network) ||
	    bpf_probe_read_kernel(&tcp, sizeof(tcp), head + transport))
		return false;
	e->sport = bpf_ntohs(tcp.source);
	e->dport = bpf_ntohs(tcp.dest);
	e->flags = tcp.flags;
	return true;
}

static __always_inline void of_socket(struct tcpdrop_event *e, struct sk_buff *skb, struct sock *sk)
{
	struct net_device *dev;

	e->state = 0;
	if (sk) {
		e->state = BPF_CORE_READ(sk, __sk_common.skc_state);
		e->netns = sock_netns(sk);
		return;
	}
	dev = BPF_CORE_READ(skb, dev);
	e->netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
}

static __always_inline void take_stack(void *ctx, struct bcc_stack *s)
{
	long len = bpf_get_stack(ctx, s->ip, sizeof(s->ip), 0);

	if (len < 0)
		lose(LOST_STACK);
	s->n = len < 0 ? STACK_LOST : (u64)len / sizeof(u64);
}

static __always_inline int drop(void *ctx, struct sk_buff *skb, u32 reason, struct sock *sk)
{
	struct tcpdrop_event *e = scratch_here();

	if (!e || !wanted() || !headers(e, skb) || (e->ip == 4 ? conf.ipv6 : conf.ipv4))
		return 0;
	of_socket(e, skb, sk ?: BPF_CORE_READ(skb, sk));
	if (conf.netns && e->netns != conf.netns)
		return 0;
	task_now(&e->task);
	e->reason = reason;
	e->unused = 0;
	take_stack(ctx, &e->stack);
	emit(ctx, e, sizeof(*e));
	return 0;
}

/* (skb, location, reason, rx_sk); the last since 6.11: the socket of a packet on its way in. */
static __always_inline int freed(u64 *ctx)
{
	u32 reason = argument(ctx, 2);

	if (reason <= conf.unspecified)
		return 0;
	return drop(ctx, (void *)ctx[0], reason, conf.rx_sk ? (void *)argument(ctx, 3) : NULL);
}

SEC("tp_btf/kfree_skb")
int freed_btf(u64 *ctx)
{
	return freed(ctx);
}

SEC("raw_tp/kfree_skb")
int freed_raw(u64 *ctx)
{
	return freed(ctx);
}

/* Before 5.17: without a reason. */
SEC("kprobe/tcp_drop")
int BPF_KPROBE(dropped, struct sock *sk, struct sk_buff *skb)
{
	return drop(ctx, skb, 0, sk);
}
