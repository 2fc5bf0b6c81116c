/*
 * From connect(2) to the answer, which comes in a soft interrupt: the process is remembered with
 * the socket.
 */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "tcpconnlat.h"

const volatile struct tcpconnlat_conf conf;
HASH(connects, u64, struct bcc_task, 65536);
EVENTS;

/* A connect over IPv4 by a socket of IPv6 comes here twice, the second time a little later. */
static __always_inline int begin_connect(struct sock *sk)
{
	u64 key = (u64)sk;
	struct bcc_task task;

	if (!wanted())
		return 0;
	task_now(&task);
	begin(&connects, &key, &task);
	return 0;
}

static __always_inline int answer(void *ctx, struct sock *sk, bool typed)
{
	struct tcpconnlat_event e = {};
	u64 key = (u64)sk;
	struct bcc_task *begun;

	if (FIELD(typed, sk, __sk_common.skc_state) != TCP_SYN_SENT)
		return 0;
	begun = bpf_map_lookup_elem(&connects, &key);
	if (!begun)
		return 0;
	e.task = *begun;
	bpf_map_delete_elem(&connects, &key);
	flow_of(&e.flow, sk, typed);
	if (!elapsed(e.task.time, &e.lat_ns) || e.lat_ns < conf.min_ns ||
	    !wanted_flow(&conf.flow, &e.flow))
		return 0;
	e.task.time += e.lat_ns;
	e.ip = flow_version(&e.flow);
	emit(ctx, &e, sizeof(e));
	return 0;
}

static __always_inline int forget(struct sock *sk)
{
	u64 key = (u64)sk;

	bpf_map_delete_elem(&connects, &key);
	return 0;
}

SEC("fentry/tcp_v4_connect")
int BPF_PROG(connect4, struct sock *sk)
{
	return begin_connect(sk);
}

SEC("fentry/tcp_v6_connect")
int BPF_PROG(connect6, struct sock *sk)
{
	return begin_connect(sk);
}

SEC("fentry/tcp_rcv_state_process")
int BPF_PROG(answered, struct sock *sk)
{
	return answer(ctx, sk, true);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroyed, struct sock *sk)
{
	return forget(sk);
}

SEC("kprobe/tcp_v4_connect")
int BPF_KPROBE(connect4_kprobe, struct sock *sk)
{
	return begin_connect(sk);
}

SEC("kprobe/tcp_v6_connect")
int BPF_KPROBE(connect6_kprobe, struct sock *sk)
{
	return begin_connect(sk);
}

SEC("kprobe/tcp_rcv_state_process")
int BPF_KPROBE(answered_kprobe, struct sock *sk)
{
	return answer(ctx, sk, false);
}

SEC("raw_tp/tcp_destroy_sock")
int BPF_PROG(destroyed_raw, struct sock *sk)
{
	return forget(sk);
}
