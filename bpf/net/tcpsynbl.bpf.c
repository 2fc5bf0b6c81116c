/* How many connections wait to be accepted when another one is about to join them. */
#include "bcctool.bpf.h"
#include "hist.bpf.h"
#include "tcpsynbl.h"

#define ETH_P_IP 0x0800

const volatile struct tcpsynbl_conf conf;
TABLE(hists, u32, struct bcc_hist, 10240);

static __always_inline int sample(struct sock *sk, bool typed)
{
	u32 max = FIELD(typed, sk, sk_max_ack_backlog);
	struct bcc_hist *hist = hists_at(&max);

	if (hist)
		hist_add(hist, FIELD(typed, sk, sk_ack_backlog));
	return 0;
}

/* For IPv4 to a socket of IPv6, the function of IPv6 calls the other. */
static __always_inline int sample6(struct sock *sk, struct sk_buff *skb, bool typed)
{
	if (FIELD(typed, skb, protocol) == bpf_htons(ETH_P_IP))
		return 0;
	return sample(sk, typed);
}

SEC("fentry/tcp_v4_syn_recv_sock")
int BPF_PROG(joining4, struct sock *sk)
{
	return conf.ipv6 ? 0 : sample(sk, true);
}

SEC("fentry/tcp_v6_syn_recv_sock")
int BPF_PROG(joining6, struct sock *sk, struct sk_buff *skb)
{
	return conf.ipv4 ? 0 : sample6(sk, skb, true);
}

SEC("kprobe/tcp_v4_syn_recv_sock")
int BPF_KPROBE(joining4_kprobe, struct sock *sk)
{
	return conf.ipv6 ? 0 : sample(sk, false);
}

SEC("kprobe/tcp_v6_syn_recv_sock")
int BPF_KPROBE(joining6_kprobe, struct sock *sk, struct sk_buff *skb)
{
	return conf.ipv4 ? 0 : sample6(sk, skb, false);
}
