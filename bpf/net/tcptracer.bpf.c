/*
 * Connections that are established, accepted and closed. A connect is established in a soft
 * interrupt: whose it is, is remembered with the socket.
 */
#include "bcctool.bpf.h"
#include "accept.bpf.h"
#include "tcptracer.h"

const volatile struct tcptracer_conf conf;
HASH(connects, u64, struct bcc_task, 65536);
EVENTS;

static __always_inline int report(void *ctx, struct sock *sk, u32 type, const struct bcc_task *task,
				  bool typed)
{
	struct tcptracer_event e = { .type = type, .task = *task };

	flow_of(&e.flow, sk, typed);
	e.netns = sock_netns(sk);
	if (!wanted_flow(&conf.flow, &e.flow) || (conf.netns && e.netns != conf.netns))
		return 0;
	e.ip = flow_version(&e.flow);
	emit(ctx, &e, sizeof(e));
	return 0;
}

static __always_inline int now(void *ctx, struct sock *sk, u32 type, bool typed)
{
	struct bcc_task task;

	if (!wanted())
		return 0;
	task_now(&task);
	return report(ctx, sk, type, &task, typed);
}

static __always_inline int change(void *ctx, struct sock *sk, int old, int new, bool typed)
{
	struct bcc_task *begun, task;
	u64 key = (u64)sk;

	if (new == TCP_SYN_SENT && is_tcp(sk, typed) && wanted()) {
		task_now(&task);
		begin(&connects, &key, &task);
		return 0;
	}
	if (old != TCP_SYN_SENT && old != TCP_SYN_RECV) /* both ends may begin at once */
		return 0;
	begun = bpf_map_lookup_elem(&connects, &key);
	if (!begun || new == TCP_SYN_RECV)
		return 0;
	task = *begun;
	bpf_map_delete_elem(&connects, &key);
	if (new != TCP_ESTABLISHED)
		return 0;
	task.time = bpf_ktime_get_ns();
	return report(ctx, sk, TCPTRACER_CONNECT, &task, typed);
}

static __always_inline int take(void *ctx, struct sock *sk, bool typed)
{
	return now(ctx, sk, TCPTRACER_ACCEPT, typed);
}

/* What was never a connection is not closed as one. */
static __always_inline int close_sock(void *ctx, struct sock *sk, bool typed)
{
	u8 state = FIELD(typed, sk, __sk_common.skc_state);

	if (state == TCP_SYN_SENT || state == TCP_SYN_RECV || state == TCP_LISTEN ||
	    !FIELD(typed, sk, __sk_common.skc_dport) || !is_tcp(sk, typed))
		return 0;
	return now(ctx, sk, TCPTRACER_CLOSE, typed);
}

ACCEPTED(take)

STATES(change)

SEC("fentry/tcp_close")
int BPF_PROG(closed, struct sock *sk)
{
	return close_sock(ctx, sk, true);
}

SEC("kprobe/tcp_close")
int BPF_KPROBE(closed_kprobe, struct sock *sk)
{
	return close_sock(ctx, sk, false);
}
