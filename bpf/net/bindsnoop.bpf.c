/* bind(2) when it returns: then a port that the kernel chose is known. */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "bindsnoop.h"

/* Bits of inet_sock.inet_flags: include/net/inet_sock.h */
#define INET_FREEBIND             11
#define INET_TRANSPARENT          15
#define INET_BIND_ADDRESS_NO_PORT 18

/* struct sockaddr_in and sockaddr_in6 */
struct address {
	u16 family;
	__be16 port;
	__be32 addr4;
	u8 addr6[16];
};

struct call {
	struct socket *sock;
	void *to;
};

const volatile struct bindsnoop_conf conf;
HASH(calls, u32, struct call, 10240);
INSIDE(inside);
TABLE(rows, struct bindsnoop_key, u64, 10240);
EVENTS;

static __always_inline u32 flag(bool set, u32 bit)
{
	return set ? bit : 0;
}

static __always_inline u32 options_of(struct sock *sk)
{
	struct inet_sock *inet = (void *)sk;
	struct inet_sock___6_5 *old = (void *)sk;
	u32 opts = 0;
	u64 flags;

	if (BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuse))
		opts |= BIND_REUSEADDR;
	if (BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuseport))
		opts |= BIND_REUSEPORT;
	if (bpf_core_field_exists(inet->inet_flags)) {
		flags = BPF_CORE_READ(inet, inet_flags);
		return opts | flag(flags >> INET_FREEBIND & 1, BIND_FREEBIND) |
		       flag(flags >> INET_TRANSPARENT & 1, BIND_TRANSPARENT) |
		       flag(flags >> INET_BIND_ADDRESS_NO_PORT & 1, BIND_NO_PORT);
	}
	return opts | flag(BPF_CORE_READ_BITFIELD_PROBED(old, freebind), BIND_FREEBIND) |
	       flag(BPF_CORE_READ_BITFIELD_PROBED(old, transparent), BIND_TRANSPARENT) |
	       flag(BPF_CORE_READ_BITFIELD_PROBED(old, bind_address_no_port), BIND_NO_PORT);
}

/* A socket that could not be bound has no address: what was asked for. */
static __always_inline void asked_for(struct bindsnoop_key *key, void *to, u8 ip)
{
	struct address a = {};

	bpf_probe_read_kernel(&a, 8, to);
	key->port = bpf_ntohs(a.port);
	if (ip == 4)
		map_ipv4(key->addr, a.addr4);
	else
		bpf_probe_read_kernel(key->addr, sizeof(key->addr), to + 8);
}

static __always_inline void bound(struct bindsnoop_key *key, struct sock *sk)
{
	struct bcc_flow flow = {};

	flow_of(&flow, sk, false);
	key->port = flow.lport;
	__builtin_memcpy(key->addr, flow.laddr, sizeof(key->addr));
}

static __always_inline int report(void *ctx, struct sock *sk, void *to, u8 ip, int ret)
{
	struct bindsnoop_event e = { .ret = ret };
	u64 *binds;

	if ((ret && !conf.errors) || !wanted())
		return 0;
	if (ret)
		asked_for(&e.to, to, ip);
	else
		bound(&e.to, sk);
	if (!listed(&conf.ports, e.to.port))
		return 0;
	if (conf.count) {
		binds = rows_at(&e.to);
		if (binds)
			__sync_fetch_and_add(binds, 1);
		return 0;
	}
	e.protocol = sock_protocol(sk, false);
	e.device = BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);
	e.opts = options_of(sk);
	task_now(&e.task);
	emit(ctx, &e, sizeof(e));
	return 0;
}

SEC("fentry/inet_bind")
int BPF_PROG(binding4)
{
	return entered(&inside);
}

SEC("fexit/inet_bind")
int BPF_PROG(bound4, struct socket *sock, void *to, int len, int ret)
{
	returned(&inside);
	return report(ctx, sock->sk, to, 4, ret);
}

SEC("fentry/inet6_bind")
int BPF_PROG(binding6)
{
	return entered(&inside);
}

SEC("fexit/inet6_bind")
int BPF_PROG(bound6, struct socket *sock, void *to, int len, int ret)
{
	returned(&inside);
	return report(ctx, sock->sk, to, 6, ret);
}

static __always_inline int enter(struct socket *sock, void *to)
{
	struct call call = { sock, to };
	u32 tid = current_tid();

	if (wanted())
		begin_call(&calls, &tid, &call);
	return 0;
}

static __always_inline int leave(void *ctx, u8 ip, int ret)
{
	u32 tid = current_tid();
	struct call *call = bpf_map_lookup_elem(&calls, &tid);
	struct socket *sock;

	if (!call)
		return 0;
	sock = call->sock;
	report(ctx, BPF_CORE_READ(sock, sk), call->to, ip, ret);
	bpf_map_delete_elem(&calls, &tid);
	return 0;
}

SEC("kprobe/inet_bind")
int BPF_KPROBE(enter4, struct socket *sock, void *to)
{
	return enter(sock, to);
}

SEC("kretprobe/inet_bind")
int BPF_KRETPROBE(leave4, int ret)
{
	return leave(ctx, 4, ret);
}

SEC("kprobe/inet6_bind")
int BPF_KPROBE(enter6, struct socket *sock, void *to)
{
	return enter(sock, to);
}

SEC("kretprobe/inet6_bind")
int BPF_KRETPROBE(leave6, int ret)
{
	return leave(ctx, 6, ret);
}
