/* Changes of state, with the time since the one before. */
#include "bcctool.bpf.h"
#include "flow.bpf.h"
#include "tcpstates.h"

const volatile struct tcpstates_conf conf;
HASH(since, u64, u64, 65536);
EVENTS;

static __always_inline void time_state(struct tcpstates_event *e)
{
	u64 *last = bpf_map_lookup_elem(&since, &e->skaddr);

	if (last)
		between(*last, e->task.time, &e->span_ns);
	if (e->newstate == TCP_CLOSE)
		bpf_map_delete_elem(&since, &e->skaddr);
	else
		begin(&since, &e->skaddr, &e->task.time);
}

static __always_inline int change(void *ctx, struct sock *sk, int old, int new, bool typed)
{
	struct tcpstates_event e = { .oldstate = old, .newstate = new, .skaddr = (u64)sk };

	if (!is_tcp(sk, typed))
		return 0;
	task_now(&e.task);
	time_state(&e);
	flow_of(&e.flow, sk, typed);
	if (!wanted() || !wanted_flow(&conf.flow, &e.flow))
		return 0;
	e.ip = flow_version(&e.flow);
	emit(ctx, &e, sizeof(e));
	return 0;
}

STATES(change)
