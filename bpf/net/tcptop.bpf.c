/* What calls on TCP sockets returned: the bytes that were really taken or given. */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "tcptop.h"

#define MSG_PEEK     0x2
#define MSG_ERRQUEUE 0x2000

struct call {
	struct sock *sk;
	u32 flags;
};

const volatile struct tcptop_conf conf;
HASH(sends, u32, struct sock *, 10240);
HASH(receives, u32, struct call, 10240);
INSIDE(inside);
TABLE(rows, struct tcptop_key, struct tcptop_value, 10240);

static __always_inline int count(struct sock *sk, s64 received, s64 sent, bool typed)
{
	struct tcptop_key key = {};
	struct tcptop_value *v;
	bool v4;

	if ((received <= 0 && sent <= 0) || !wanted())
		return 0;
	flow_of(&key.flow, sk, typed);
	v4 = flow_is_ipv4(key.flow.raddr);
	if (v4 ? conf.ipv6 : conf.ipv4)
		return 0;
	key.pid = current_pid();
	current_comm(key.comm);
	v = rows_at(&key);
	if (!v)
		return 0;
	if (received > 0)
		__sync_fetch_and_add(&v->rx_bytes, received);
	if (sent > 0)
		__sync_fetch_and_add(&v->tx_bytes, sent);
	return 0;
}

/* Peeking leaves the bytes to be received again; the error queue is not of the stream. */
static __always_inline int received(struct sock *sk, u32 flags, s64 n, bool typed)
{
	return flags & (MSG_PEEK | MSG_ERRQUEUE) ? 0 : count(sk, n, 0, typed);
}

SEC("fentry/tcp_sendmsg")
int BPF_PROG(sending)
{
	return entered(&inside);
}

SEC("fexit/tcp_sendmsg")
int BPF_PROG(sent, struct sock *sk, void *msg, size_t size, int ret)
{
	returned(&inside);
	return count(sk, 0, ret, true);
}

/* sendfile(2) and splice(2), before 6.5; since then they are messages. */
SEC("?fentry/tcp_sendpage")
int BPF_PROG(sending_page)
{
	return entered(&inside);
}

SEC("?fexit/tcp_sendpage")
int BPF_PROG(sent_page, struct sock *sk, void *page, int offset, size_t size, int flags, int ret)
{
	returned(&inside);
	return count(sk, 0, ret, true);
}

SEC("fentry/tcp_recvmsg")
int BPF_PROG(receiving)
{
	return entered(&inside);
}

/* (sk, msg, len, flags, addr_len), before 5.19 (sk, msg, len, nonblock, flags, addr_len). */
SEC("fexit/tcp_recvmsg")
int receive(u64 *ctx)
{
	struct sock *sk = (void *)ctx[0];

	returned(&inside);
	return conf.nonblock_arg ? received(sk, argument(ctx, 4), (int)argument(ctx, 6), true)
				 : received(sk, argument(ctx, 3), (int)argument(ctx, 5), true);
}

SEC("?fentry/tcp_splice_read")
int BPF_PROG(splicing)
{
	return entered(&inside);
}

SEC("?fexit/tcp_splice_read")
int BPF_PROG(spliced, struct socket *sock, loff_t *pos, void *pipe, size_t len, u32 flags, s64 ret)
{
	returned(&inside);
	return count(sock->sk, ret, 0, true);
}

static __always_inline int enter(struct sock *sk)
{
	u32 tid = current_tid();

	if (wanted())
		begin_call(&sends, &tid, &sk);
	return 0;
}

static __always_inline int leave(s64 sent, s64 received)
{
	u32 tid = current_tid();
	struct sock **sk = bpf_map_lookup_elem(&sends, &tid);

	if (!sk)
		return 0;
	count(*sk, received, sent, false);
	bpf_map_delete_elem(&sends, &tid);
	return 0;
}

SEC("kprobe/tcp_sendmsg")
int BPF_KPROBE(send_enter, struct sock *sk)
{
	return enter(sk);
}

SEC("kretprobe/tcp_sendmsg")
int BPF_KRETPROBE(send_leave, int ret)
{
	return leave(ret, 0);
}

SEC("?kprobe/tcp_sendpage")
int BPF_KPROBE(sendpage_enter, struct sock *sk)
{
	return enter(sk);
}

SEC("?kretprobe/tcp_sendpage")
int BPF_KRETPROBE(sendpage_leave, int ret)
{
	return leave(ret, 0);
}

SEC("?kprobe/tcp_splice_read")
int BPF_KPROBE(splice_enter, struct socket *sock)
{
	return enter(BPF_CORE_READ(sock, sk));
}

SEC("?kretprobe/tcp_splice_read")
int BPF_KRETPROBE(splice_leave, long ret)
{
	return leave(0, ret);
}

SEC("kprobe/tcp_recvmsg")
int BPF_KPROBE(receive_enter, struct sock *sk, void *msg, size_t len, int a, int b)
{
	struct call call = { sk, conf.nonblock_arg ? b : a };
	u32 tid = current_tid();

	if (wanted())
		begin_call(&receives, &tid, &call);
	return 0;
}

SEC("kretprobe/tcp_recvmsg")
int BPF_KRETPROBE(receive_leave, int ret)
{
	u32 tid = current_tid();
	struct call *call = bpf_map_lookup_elem(&receives, &tid);

	if (!call)
		return 0;
	received(call->sk, call->flags, ret, false);
	bpf_map_delete_elem(&receives, &tid);
	return 0;
}
