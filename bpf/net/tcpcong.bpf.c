/* Time in each state of congestion control, counted when the state is left. */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "hist.bpf.h"
#include "tcpcong.h"

struct stay {
	u64 since;
	u32 state;
	u32 unused;
};

const volatile struct tcpcong_conf conf;
HASH(stays, u64, struct stay, 65536);
TABLE(rows, struct bcc_flow, struct tcpcong_value, 10240);
TABLE(hists, u32, struct bcc_hist, CONG_STATES);

static __always_inline bool wanted_ports(const struct bcc_flow *f)
{
	return f->lport >= conf.lport[0] && f->lport <= conf.lport[1] &&
	       f->rport >= conf.rport[0] && f->rport <= conf.rport[1];
}

static __always_inline void add_time(struct tcpcong_value *v, u32 state, u64 ns)
{
	switch (state) {
	case CONG_OPEN: __sync_fetch_and_add(&v->open_ns, ns); break;
	case CONG_DISORDER: __sync_fetch_and_add(&v->disorder_ns, ns); break;
	case CONG_CWR: __sync_fetch_and_add(&v->cwr_ns, ns); break;
	case CONG_RECOVERY: __sync_fetch_and_add(&v->recovery_ns, ns); break;
	case CONG_LOSS: __sync_fetch_and_add(&v->loss_ns, ns); break;
	}
}

/* A socket leaves a state; `change`: for another one, not for good. */
static __always_inline void leave(const struct bcc_flow *flow, const struct stay *stay, bool change)
{
	struct tcpcong_value *v;
	struct bcc_hist *hist;
	u64 ns = 0;

	if (stay && !elapsed(stay->since, &ns))
		return;
	if (conf.dist) {
		hist = stay ? hists_at(&stay->state) : NULL;
		if (hist)
			hist_add(hist, ns / (conf.us ? 1000 : 1000000));
		return;
	}
	v = rows_at(flow);
	if (!v)
		return;
	if (stay)
		add_time(v, stay->state, ns);
	if (change)
		__sync_fetch_and_add(&v->changes, 1);
}

static __always_inline int enter(struct sock *sk, u32 state, bool typed)
{
	struct inet_connection_sock *icsk = (void *)sk;
	struct stay stay = { .since = bpf_ktime_get_ns(), .state = state };
	u64 key = (u64)sk;
	struct stay *before = bpf_map_lookup_elem(&stays, &key);
	struct bcc_flow flow = {};

	/* The state is set after this; set to what it was, it does not change. */
	if (BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_ca_state) == state || state >= CONG_STATES)
		return 0;
	flow_of(&flow, sk, typed);
	if (!wanted_ports(&flow))
		return 0;
	leave(&flow, before, true);
	begin(&stays, &key, &stay);
	return 0;
}

static __always_inline int end(struct sock *sk, bool typed)
{
	u64 key = (u64)sk;
	struct stay *last = bpf_map_lookup_elem(&stays, &key);
	struct bcc_flow flow = {};

	if (!last)
		return 0;
	flow_of(&flow, sk, typed);
	leave(&flow, last, false);
	bpf_map_delete_elem(&stays, &key);
	return 0;
}

SEC("tp_btf/tcp_cong_state_set")
int BPF_PROG(changed, struct sock *sk, u8 state)
{
	return enter(sk, state, true);
}

SEC("raw_tp/tcp_cong_state_set")
int BPF_PROG(changed_raw, struct sock *sk, u8 state)
{
	return enter(sk, state, false);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroyed, struct sock *sk)
{
	return end(sk, true);
}

SEC("raw_tp/tcp_destroy_sock")
int BPF_PROG(destroyed_raw, struct sock *sk)
{
	return end(sk, false);
}

/*
 * Without the tracepoint, before 5.10: the functions that change the state, of which one may call
 * another. What a function leaves behind is compared with what is known.
 */
HASH(calls, u64, struct sock *, 10240);

static __always_inline int compare(struct sock *sk)
{
	struct inet_connection_sock *icsk = (void *)sk;
	u32 state = BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_ca_state);
	struct stay stay = { .since = bpf_ktime_get_ns(), .state = state };
	u64 key = (u64)sk;
	struct stay *before = bpf_map_lookup_elem(&stays, &key);
	struct bcc_flow flow = {};

	if (state >= CONG_STATES || (before ? before->state == state : !state))
		return 0;
	flow_of(&flow, sk, false);
	if (!wanted_ports(&flow))
		return 0;
	leave(&flow, before, true);
	begin(&stays, &key, &stay);
	return 0;
}

/* Soft interrupts do not nest: on a CPU, one function of a kind is under way at a time. */
static __always_inline u64 call_key(u32 function)
{
	return (u64)bpf_get_smp_processor_id() << 32 | function;
}

#define CHANGER(number, function)                                                                  \
	SEC("?fexit/" #function) int BPF_PROG(function##_exit, struct sock *sk)                    \
	{                                                                                          \
		return compare(sk);                                                                \
	}                                                                                          \
	SEC("?kprobe/" #function) int BPF_KPROBE(function##_kprobe, struct sock *sk)               \
	{                                                                                          \
		u64 key = call_key(number);                                                        \
                                                                                                   \
		begin(&calls, &key, &sk);                                                          \
		return 0;                                                                          \
	}                                                                                          \
	SEC("?kretprobe/" #function) int BPF_KRETPROBE(function##_kretprobe)                       \
	{                                                                                          \
		u64 key = call_key(number);                                                        \
		struct sock **sk = bpf_map_lookup_elem(&calls, &key);                              \
                                                                                                   \
		return sk ? compare(*sk) : 0;                                                      \
	}

CHANGER(0, tcp_fastretrans_alert)
CHANGER(1, tcp_enter_cwr)
CHANGER(2, tcp_enter_loss)
CHANGER(3, tcp_enter_recovery)
CHANGER(4, tcp_process_tlp_ack)
