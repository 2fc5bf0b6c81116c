/*
 * tcp_v4_connect() and tcp_v6_connect() send the first packet and return; at their end the socket
 * has both addresses and ports. A connect over IPv4 by a socket of IPv6 goes through both
 * functions, and is taken in the first.
 */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "tcpconnect.h"

#define DNS_PORT 53

const volatile struct tcpconnect_conf conf;
HASH(calls, u32, struct sock *, 10240);
INSIDE(inside4);
INSIDE(inside6);
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

SEC("fentry/tcp_v4_connect")
int BPF_PROG(connecting)
{
	return entered(&inside4);
}

SEC("fexit/tcp_v4_connect")
int BPF_PROG(connected, struct sock *sk, struct sockaddr *to, int len, int ret)
{
	returned(&inside4);
	return report(ctx, sk, 4, ret, true);
}

SEC("fentry/tcp_v6_connect")
int BPF_PROG(connecting6)
{
	return entered(&inside6);
}

SEC("fexit/tcp_v6_connect")
int BPF_PROG(connected6, struct sock *sk, struct sockaddr *to, int len, int ret)
{
	returned(&inside6);
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

/* -d: where a receive that may be from a name server puts what it gets. */
struct receive {
	struct sock *sk;
	struct msghdr *msg;
	void *buffer;
	u64 room;
};

HASH(receives, u32, struct receive, 10240);
PERCPU(answer, struct tcpconnect_dns);

static __always_inline void first_iovec(struct receive *r)
{
	struct iov_iter *iter = &r->msg->msg_iter;
	struct iov_iter___6_3 *old = (void *)iter;
	const struct iovec *iov;

	if (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
	    BPF_CORE_READ(iter, iter_type) == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		r->buffer = BPF_CORE_READ(iter, ubuf);
		r->room = BPF_CORE_READ(iter, count);
		return;
	}
	if (bpf_core_field_exists(iter->iter_type) &&
	    BPF_CORE_READ(iter, iter_type) != bpf_core_enum_value(enum iter_type, ITER_IOVEC))
		return;
	iov = bpf_core_field_exists(iter->__iov) ? BPF_CORE_READ(iter, __iov)
						 : BPF_CORE_READ(old, iov);
	r->buffer = BPF_CORE_READ(iov, iov_base);
	r->room = BPF_CORE_READ(iov, iov_len);
}

/* A socket that is not connected is told whom each datagram is from. */
static __always_inline int receive_begin(struct sock *sk, struct msghdr *msg)
{
	u16 port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	struct receive r = { sk, msg };
	u32 tid = current_tid();

	if (port ? port != DNS_PORT : !BPF_CORE_READ(msg, msg_name))
		return 0;
	first_iovec(&r);
	if (r.buffer)
		begin_call(&receives, &tid, &r);
	return 0;
}

static __always_inline u16 source_port(const struct receive *r)
{
	struct sock *sk = r->sk; /* BPF_CORE_READ(r->sk, ...) would have r relocated as well */
	struct msghdr *msg = r->msg;
	u16 port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	void *name = BPF_CORE_READ(msg, msg_name);

	if (!port && name) /* at the same place in a sockaddr_in and a sockaddr_in6 */
		bpf_probe_read_kernel(&port, sizeof(port), name + 2);
	return bpf_ntohs(port);
}

static __always_inline void hand_over_answer(void *ctx, const struct receive *r, int ret)
{
	struct tcpconnect_dns *dns = answer_here();
	u64 n = (u32)ret;

	if (ret <= 0 || !dns || source_port(r) != DNS_PORT)
		return;
	if (n > r->room) /* MSG_TRUNC: the datagram's whole length is returned */
		n = r->room;
	barrier_var(n); /* or the bound may be proved of a copy that is not the one used */
	if (n > DNS_PACKET_MAX)
		n = DNS_PACKET_MAX;
	if (bpf_probe_read_user(dns->packet, n, r->buffer))
		return;
	dns->ip = 0;
	dns->task.time = bpf_ktime_get_ns();
	emit(ctx, dns, offsetof(struct tcpconnect_dns, packet) + n);
}

/* (sk, msg, len, flags, addr_len), before 5.19 (sk, msg, len, nonblock, flags, addr_len). */
static __always_inline int receive_end(u64 *ctx)
{
	u32 tid = current_tid();
	struct receive *r = bpf_map_lookup_elem(&receives, &tid);

	if (!r)
		return 0;
	hand_over_answer(ctx, r, conf.nonblock_arg ? argument(ctx, 6) : argument(ctx, 5));
	bpf_map_delete_elem(&receives, &tid);
	return 0;
}

SEC("fentry/udp_recvmsg")
int BPF_PROG(answer_begin, struct sock *sk, struct msghdr *msg)
{
	return receive_begin(sk, msg);
}

SEC("fexit/udp_recvmsg")
int answer_end(u64 *ctx)
{
	return receive_end(ctx);
}

SEC("fentry/udpv6_recvmsg")
int BPF_PROG(answer_begin6, struct sock *sk, struct msghdr *msg)
{
	return receive_begin(sk, msg);
}

SEC("fexit/udpv6_recvmsg")
int answer_end6(u64 *ctx)
{
	return receive_end(ctx);
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
