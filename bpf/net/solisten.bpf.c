/* listen(2) of TCP sockets, when it returns: then the port is known even if nobody chose one. */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "solisten.h"

struct call {
	struct socket *sock;
	int backlog;
};

const volatile struct solisten_conf conf;
HASH(calls, u32, struct call, 10240);
INSIDE(inside);
EVENTS;

static __always_inline int report(void *ctx, struct sock *sk, int backlog, int ret, bool typed)
{
	struct solisten_event e = { .backlog = backlog, .ret = ret };

	e.netns = sock_netns(sk);
	if (!wanted() || (conf.netns && e.netns != conf.netns))
		return 0;
	flow_of(&e.flow, sk, typed);
	e.ip = FIELD(typed, sk, __sk_common.skc_family) == AF_INET6 ? 6 : 4;
	task_now(&e.task);
	emit(ctx, &e, sizeof(e));
	return 0;
}

SEC("fentry/inet_listen")
int BPF_PROG(listening)
{
	return entered(&inside);
}

SEC("fexit/inet_listen")
int BPF_PROG(listened, struct socket *sock, int backlog, int ret)
{
	returned(&inside);
	return report(ctx, sock->sk, backlog, ret, true);
}

SEC("kprobe/inet_listen")
int BPF_KPROBE(listen_enter, struct socket *sock, int backlog)
{
	struct call call = { sock, backlog };
	u32 tid = current_tid();

	if (wanted())
		begin_call(&calls, &tid, &call);
	return 0;
}

SEC("kretprobe/inet_listen")
int BPF_KRETPROBE(listen_leave, int ret)
{
	u32 tid = current_tid();
	struct call *call = bpf_map_lookup_elem(&calls, &tid);
	struct socket *sock;

	if (!call)
		return 0;
	sock = call->sock;
	report(ctx, BPF_CORE_READ(sock, sk), call->backlog, ret, false);
	bpf_map_delete_elem(&calls, &tid);
	return 0;
}
