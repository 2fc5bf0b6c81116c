/* Bytes that tcp_sendmsg() took, under the first subnet that the remote address is in. */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "tcpsubnet.h"

const volatile struct tcpsubnet_conf conf;
HASH(calls, u32, struct sock *, 10240);
INSIDE(inside);
TABLE(rows, u32, u64, SUBNETS);

static __always_inline bool is_in(const volatile struct tcpsubnet_net *net, const u32 *addr)
{
	return (addr[0] & net->mask[0]) == net->addr[0] &&
	       (addr[1] & net->mask[1]) == net->addr[1] &&
	       (addr[2] & net->mask[2]) == net->addr[2] && (addr[3] & net->mask[3]) == net->addr[3];
}

static __always_inline int count(struct sock *sk, int sent, bool typed)
{
	struct bcc_flow flow = {};
	u64 *bytes;

	if (sent <= 0 || !wanted())
		return 0;
	flow_of(&flow, sk, typed);
	for (u32 i = 0; i < SUBNETS && i < conf.n; i++) {
		if (!is_in(&conf.net[i], (const u32 *)flow.raddr))
			continue;
		bytes = rows_at(&i);
		if (bytes)
			__sync_fetch_and_add(bytes, sent);
		break;
	}
	return 0;
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
	return count(sk, ret, true);
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
	return count(sk, ret, true);
}

static __always_inline int enter(struct sock *sk)
{
	u32 tid = current_tid();

	if (wanted())
		begin_call(&calls, &tid, &sk);
	return 0;
}

static __always_inline int leave(int ret)
{
	u32 tid = current_tid();
	struct sock **sk = bpf_map_lookup_elem(&calls, &tid);

	if (!sk)
		return 0;
	count(*sk, ret, false);
	bpf_map_delete_elem(&calls, &tid);
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
	return leave(ret);
}

SEC("?kprobe/tcp_sendpage")
int BPF_KPROBE(sendpage_enter, struct sock *sk)
{
	return enter(sk);
}

SEC("?kretprobe/tcp_sendpage")
int BPF_KRETPROBE(sendpage_leave, int ret)
{
	return leave(ret);
}
