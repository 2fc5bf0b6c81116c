/* A row for each connection that accept(2) takes. */
#include "bcctool.bpf.h"
#include "accept.bpf.h"
#include "tcpaccept.h"

const volatile struct tcpaccept_conf conf;
EVENTS;

static __always_inline int report(void *ctx, struct sock *sk, bool typed)
{
	struct tcpaccept_event e = {};

	if (!wanted())
		return 0;
	flow_of(&e.flow, sk, typed);
	if (!wanted_flow(&conf.flow, &e.flow))
		return 0;
	e.ip = flow_version(&e.flow);
	task_now(&e.task);
	emit(ctx, &e, sizeof(e));
	return 0;
}

ACCEPTED(report)
