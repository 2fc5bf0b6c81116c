/* Segments that are sent again, SYN and SYN+ACK among them, and tail loss probes. */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "tcpretrans.h"

const volatile struct tcpretrans_conf conf;
TABLE(rows, struct bcc_flow, u64, 10240);
EVENTS;

/* `skb`, unless NULL, is what is sent; `sk` may be a request, which begins like a socket. */
static __always_inline int report(void *ctx, struct sock *sk, struct sk_buff *skb, u8 type,
				  bool typed)
{
	struct tcpretrans_event e = { .type = type };
	struct tcp_skb_cb *cb = skb ? (void *)__builtin_preserve_access_index(&skb->cb) : NULL;
	u64 *retransmits;

	if (!wanted())
		return 0;
	flow_of(&e.flow, sk, typed);
	if (!wanted_flow(&conf.flow, &e.flow))
		return 0;
	if (conf.count) {
		retransmits = rows_at(&e.flow);
		if (retransmits)
			__sync_fetch_and_add(retransmits, 1);
		return 0;
	}
	e.ip = flow_version(&e.flow);
	e.state = FIELD(typed, sk, __sk_common.skc_state);
	e.segments = type == TCPRETRANS_AGAIN;
	if (cb) {
		e.seq = BPF_CORE_READ(cb, seq);
		e.segments = BPF_CORE_READ(cb, tcp_gso_segs);
	}
	task_now(&e.task);
	emit(ctx, &e, sizeof(e));
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(again, struct sock *sk, struct sk_buff *skb)
{
	return report(ctx, sk, skb, TCPRETRANS_AGAIN, true);
}

SEC("raw_tp/tcp_retransmit_skb")
int BPF_PROG(again_raw, struct sock *sk, struct sk_buff *skb)
{
	return report(ctx, sk, skb, TCPRETRANS_AGAIN, false);
}

/* Before 4.15. */
SEC("kprobe/tcp_retransmit_skb")
int BPF_KPROBE(again_kprobe, struct sock *sk, struct sk_buff *skb)
{
	return report(ctx, sk, skb, TCPRETRANS_AGAIN, false);
}

SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(synack, struct sock *sk, struct request_sock *req)
{
	return report(ctx, (struct sock *)req, NULL, TCPRETRANS_AGAIN, false);
}

SEC("raw_tp/tcp_retransmit_synack")
int BPF_PROG(synack_raw, struct sock *sk, struct request_sock *req)
{
	return report(ctx, (struct sock *)req, NULL, TCPRETRANS_AGAIN, false);
}

SEC("fentry/tcp_send_loss_probe")
int BPF_PROG(loss_probe, struct sock *sk)
{
	return report(ctx, sk, NULL, TCPRETRANS_PROBE, true);
}

SEC("kprobe/tcp_send_loss_probe")
int BPF_KPROBE(loss_probe_kprobe, struct sock *sk)
{
	return report(ctx, sk, NULL, TCPRETRANS_PROBE, false);
}
