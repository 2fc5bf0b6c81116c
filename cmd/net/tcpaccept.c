#define ROW struct tcpaccept_event
#include "accept.h"
#include "applet.h"
#include "flowcols.h"
#include "tcpaccept.h"

static struct tcpaccept_conf conf;
static bool time_of_day;

static const struct opt options[] = {
	OPT('T', "time", NULL, &time_of_day, "print the time of day"),
	OPT_TIMESTAMP('t'),
	OPT_PID('p'),
	OPT_LPORTS('P', "port", conf.flow),
	OPT_FAMILIES(conf.flow),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time of the accept", .as = AS_TIME, .show = &time_of_day),
	COL(task.time, "TIME(s)", -9, "the same, in seconds since tracing began", .as = AS_ELAPSED,
	    .digits = 3, .show = &common.timestamp, .no_data = true),
	COL(task.pid, "PID", -7, "process ID"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	COL(task.comm, "COMM", -12, "thread name"),
	COL(ip, "IP", -2, "4 or 6: what goes over the wire, whatever the family of the socket"),
	COL(flow.raddr, "RADDR", -16, "remote address", .as = AS_IP),
	COL(flow.rport, "RPORT", -5, "remote port"),
	COL(flow.laddr, "LADDR", -16, "local address", .as = AS_IP),
	COL(flow.lport, "LPORT", -5, "local port"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "connections that are accepted" },
	{ "-t", "with the time in seconds" },
	{ "-P 80,81", "on these local ports" },
	{ "-p 181", "by process 181" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "accepts", ACCEPTED_CANDIDATES },
	{ 0 },
};

static void check(void)
{
	flow_check(&conf.flow);
}

static const struct applet tcpaccept = {
	.name = "tcpaccept",
	.summary = "trace accepted TCP connections",
	.doc = "Traces accept(2) of TCP sockets, and prints a line when it returns a connection. "
	       "The process is the one that accepts. Connections that wait to be accepted are not "
	       "among the rows.\n\n"
	       "Costs next to nothing: accepts are rare beside packets.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.run = run_events,
};

APPLET(tcpaccept);
