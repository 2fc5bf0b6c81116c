/*
 * Connections from their first state to CLOSE, which mostly comes in a soft interrupt. Whose they
 * are is known at connect and accept; of those accepted before tracing began, when they are shut
 * down, which is a system call too.
 */
#include "bcctool.bpf.h"
#include "accept.bpf.h"
#include "tcplife.h"

struct life {
	u64 birth;
	struct bcc_task owner;
	bool connected; /* its SYN counts as a byte acknowledged */
	bool owned;
	bool wanted; /* the owner is */
};

const volatile struct tcplife_conf conf;
HASH(lives, u64, struct life, 65536);
EVENTS;

static __always_inline void own(struct life *life)
{
	life->owned = true;
	life->wanted = wanted();
	task_now(&life->owner);
}

static __always_inline bool has_flag(struct sock *sk, u32 flag, bool typed)
{
	return FIELD(typed, sk, __sk_common.skc_flags) >> flag & 1;
}

/* SYN and FIN have a place among the bytes; they are not what was sent. */
static __always_inline void count_bytes(struct tcplife_event *e, struct sock *sk, bool connected,
					int old, bool typed)
{
	struct tcp_sock *tp = (void *)sk;
	u64 tx = BPF_CORE_READ(tp, bytes_acked), rx = BPF_CORE_READ(tp, bytes_received);
	bool fin = old == TCP_FIN_WAIT1 || old == TCP_FIN_WAIT2 || old == TCP_CLOSING ||
		   old == TCP_LAST_ACK || old == TCP_TIME_WAIT;

	if (tx && connected)
		tx--;
	if (tx && fin && BPF_CORE_READ(tp, snd_una) == BPF_CORE_READ(tp, write_seq))
		tx--;
	if (rx && has_flag(sk, bpf_core_enum_value(enum sock_flags, SOCK_DONE), typed))
		rx--;
	e->tx_bytes = tx;
	e->rx_bytes = rx;
}

static __always_inline void end(void *ctx, struct sock *sk, const struct life *life, int old,
				bool typed)
{
	struct tcplife_event e = {};

	if (life->owned ? !life->wanted : filter.particular)
		return;
	flow_of(&e.flow, sk, typed);
	if (!wanted_flow(&conf.flow, &e.flow) || !elapsed(life->birth, &e.span_ns))
		return;
	e.task = life->owner;
	e.task.time = life->birth + e.span_ns;
	e.ip = flow_version(&e.flow);
	count_bytes(&e, sk, life->connected, old, typed);
	emit(ctx, &e, sizeof(e));
}

static __always_inline int change(void *ctx, struct sock *sk, int old, int new, bool typed)
{
	u64 key = (u64)sk;
	struct life *life = bpf_map_lookup_elem(&lives, &key), born = {};

	if (!life) {
		if ((new != TCP_SYN_SENT &&new != TCP_SYN_RECV &&new != TCP_ESTABLISHED) ||
		    !is_tcp(sk, typed))
			return 0;
		begin(&lives, &key, &born);
		life = bpf_map_lookup_elem(&lives, &key);
		if (!life)
			return 0;
	}
	switch (new) {
	case TCP_SYN_SENT:
		own(life);
		/* fall through */
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
		life->birth = bpf_ktime_get_ns();
		life->connected |= new == TCP_SYN_SENT || old == TCP_SYN_SENT;
		break;
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
		if (!life->owned)
			own(life);
		break;
	case TCP_CLOSE: end(ctx, sk, life, old, typed); bpf_map_delete_elem(&lives, &key);
	}
	return 0;
}

static __always_inline int take(void *ctx, struct sock *sk, bool typed)
{
	u64 key = (u64)sk;
	struct life *life = bpf_map_lookup_elem(&lives, &key);

	if (life)
		own(life);
	return 0;
}

ACCEPTED(take)

STATES(change)
