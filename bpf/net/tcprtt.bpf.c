/* The smoothed round-trip time, as it is when a segment arrives. */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "hist.bpf.h"
#include "tcprtt.h"

const volatile struct tcprtt_conf conf;
TABLE(hists, struct tcprtt_key, struct bcc_hist, 10240);

static __always_inline bool wanted_address(const volatile u8 wanted[16], const u8 addr[16])
{
	const volatile u32 *w = (const volatile u32 *)wanted;
	const u32 *a = (const u32 *)addr;

	if (!w[0] && !w[1] && !w[2] && !w[3])
		return true;
	return w[0] == a[0] && w[1] == a[1] && w[2] == a[2] && w[3] == a[3];
}

static __always_inline int sample(struct sock *sk, bool typed)
{
	struct tcp_sock *tp = (void *)sk;
	struct tcprtt_key key = {};
	struct bcc_flow flow = {};
	struct bcc_hist *hist;
	u32 us;

	if (conf.particular) {
		flow_of(&flow, sk, typed);
		if (!wanted_flow(&conf.flow, &flow) || !wanted_address(conf.laddr, flow.laddr) ||
		    !wanted_address(conf.raddr, flow.raddr))
			return 0;
		if (conf.by_laddr)
			__builtin_memcpy(key.addr, flow.laddr, sizeof(key.addr));
		if (conf.by_raddr)
			__builtin_memcpy(key.addr, flow.raddr, sizeof(key.addr));
	}
	us = BPF_CORE_READ(tp, srtt_us) >> 3; /* it is kept eightfold */
	hist = hists_at(&key);
	if (hist)
		hist_add(hist, conf.ms ? us / 1000 : us);
	return 0;
}

SEC("fentry/tcp_rcv_established")
int BPF_PROG(received, struct sock *sk)
{
	return sample(sk, true);
}

SEC("kprobe/tcp_rcv_established")
int BPF_KPROBE(received_kprobe, struct sock *sk)
{
	return sample(sk, false);
}
