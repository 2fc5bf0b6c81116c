#ifndef FLOW_BPF_H
#define FLOW_BPF_H

#include "flow.h"

static __always_inline void map_ipv4(u8 addr[16], __be32 ip)
{
	addr[10] = addr[11] = 0xff;
	__builtin_memcpy(addr + 12, &ip, sizeof(ip));
}

static __always_inline void flow_of(struct bcc_flow *f, struct sock *sk)
{
	f->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	f->rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == 10 /* AF_INET6 */) {
		BPF_CORE_READ_INTO(&f->laddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&f->raddr, sk, __sk_common.skc_v6_daddr);
	} else {
		map_ipv4(f->laddr, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		map_ipv4(f->raddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	}
}

#endif
