/*
 * tcp_v4_connect() and tcp_v6_connect() send the first packet and return; at their end the socket
 * has both addresses and ports. A connect over IPv4 by a socket of IPv6 goes through both
 * functions, and is taken in the first.
 */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "tcpconnect.h"

const volatile struct tcpconnect_conf conf;
HASH(calls, u32, struct sock *, 10240);
TABLE(rows, struct tcpconnect_key, u64, 10240);
EVENTS;

static __always_inline int report(void *ctx, struct sock *sk, u8 ip, int ret, bool typed)
{
	struct tcpconnect_key key = {};
	struct tcpconnect_event e = {};
	u64 *connects;

	if (ret || !wanted() || (ip == 4 ? conf.ipv6 : conf.ipv4))
		return 0;
	flow_of(&e.flow, sk, typed);
	if ((ip == 6 && flow_is_ipv4(e.flow.raddr)) || !listed(&conf.ports, e.flow.rport))
		return 0;
	if (!conf.count) {
		e.ip = ip;
		task_now(&e.task);
		emit(ctx, &e, sizeof(e));
		return 0;
	}
	key.flow = e.flow;
	if (!conf.lport)
		key.flow.lport = 0;
	connects = rows_at(&key);
	if (connects)
		__sync_fetch_and_add(connects, 1);
	return 0;
}

SEC("fexit/tcp_v4_connect")
int BPF_PROG(connected, struct sock *sk, struct sockaddr *to, int len, int ret)
{
	return report(ctx, sk, 4, ret, true);
}

SEC("fexit/tcp_v6_connect")
int BPF_PROG(connected6, struct sock *sk, struct sockaddr *to, int len, int ret)
{
	return report(ctx, sk, 6, ret, true);
}

static __always_inline int enter(struct sock *sk)
{
	u32 tid = current_tid();

	if (wanted())
		begin(&calls, &tid, &sk);
	return 0;
}

static __always_inline int leave(void *ctx, u8 ip, int ret)
{
	u32 tid = current_tid();
	struct sock **sk = bpf_map_lookup_elem(&calls, &tid);

	if (!sk)
		return 0;
	report(ctx, *sk, ip, ret, false);
	if (ip == 6 || !ret) /* the function for IPv6 may have called the other, and goes on */
		bpf_map_delete_elem(&calls, &tid);
	return 0;
}

SEC("kprobe/tcp_v4_connect")
int BPF_KPROBE(enter4, struct sock *sk)
{
	return enter(sk);
}

SEC("kretprobe/tcp_v4_connect")
int BPF_KRETPROBE(leave4, int ret)
{
	return leave(ctx, 4, ret);
}

SEC("kprobe/tcp_v6_connect")
int BPF_KPROBE(enter6, struct sock *sk)
{
	return enter(sk);
}

SEC("kretprobe/tcp_v6_connect")
int BPF_KRETPROBE(leave6, int ret)
{
	return leave(ctx, 6, ret);
}
