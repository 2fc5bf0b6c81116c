#define ROW struct tcpconnect_event
#include "applet.h"
#include "tcpconnect.h"

static struct tcpconnect_conf conf;

static const struct opt options[] = {
	OPT_TIMESTAMP('t'),
	OPT_PID('p'),
	OPT('P', "port", "PORTS", &conf.ports, "trace connects to this port only (a list: 80,443)",
	    .max = 65535),
	OPT('4', "ipv4", NULL, &conf.ipv4, "trace IPv4 only"),
	OPT('6', "ipv6", NULL, &conf.ipv6, "trace IPv6 only"),
	OPT('L', "lport", NULL, &conf.lport, "print the local port; with -c, count by it too"),
	OPT(0, "source-port", NULL, &conf.lport, "the same as --lport"),
	OPT_PRINT_UID('U'),
	OPT_UID('u'),
	OPT('c', "count", NULL, &conf.count, "count connects per pair of addresses and port"),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -8, "time of the connect, since tracing began", .as = AS_ELAPSED,
	    .digits = 3, .show = &common.timestamp),
	COL(task.uid, "UID", -5, "user ID", .show = &common.print_uid),
	COL(task.pid, "PID", -7, "process ID"),
	COL_DATA(task.tid, "thread ID"),
	COL(task.comm, "COMM", -12, "thread name"),
	COL(ip, "IP", -2, "4 or 6: what goes over the wire, whatever the family of the socket"),
	COL(flow.laddr, "SADDR", -16, "local address", .as = AS_IP),
	COL(flow.lport, "LPORT", -6, "local port", .show = &conf.lport),
	COL(flow.raddr, "DADDR", -16, "remote address", .as = AS_IP),
	COL(flow.rport, "DPORT", -6, "remote port"),
	{ 0 },
};

#undef ROW
#define ROW struct tcpconnect_row
static const struct column count_columns[] = {
	COL(key.flow.laddr, "LADDR", -25, "local address", .as = AS_IP),
	COL(key.flow.lport, "LPORT", -20, "local port; 0 without -L", .show = &conf.lport),
	COL(key.flow.raddr, "RADDR", -25, "remote address", .as = AS_IP),
	COL(key.flow.rport, "RPORT", -20, "remote port"),
	COL(connects, "CONNECTS", -10, "how many connects"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "active TCP connections, as they are begun" },
	{ "-t -U", "with time and user" },
	{ "-P 80,443", "connects to these ports" },
	{ "-p 181", "connects by process 181" },
	{ "-c", "how many, by addresses and port, until Ctrl-C" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "connects", { "connected connected6?", "enter4 leave4 enter6? leave6?" } },
	{ 0 },
};

static void check(void)
{
	if (conf.ipv4 && conf.ipv6)
		opt_error("--ipv4 and --ipv6 exclude each other");
}

static const struct applet counting = {
	.columns = count_columns,
	.banner = "Tracing connects... Hit Ctrl-C to end.",
	VALUE(connects),
	.sort = "connects",
	.run = run_table,
};

#undef ROW
#define ROW struct tcpconnect_event
static const struct applet tcpconnect = {
	.name = "tcpconnect",
	.summary = "trace active TCP connections",
	.doc = "Traces connect(2) of TCP sockets, and prints a line when the first packet has been "
	       "sent. Whether anybody answers is not known then: connects that will be refused or "
	       "time out are among the rows, and so are those of non-blocking sockets, where "
	       "connect(2) returns EINPROGRESS. Those that fail before, for want of a route or a "
	       "port, are not.\n\n"
	       "Costs next to nothing: connects are rare.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.run = run_events,
	.other = &counting,
	.use_other = &conf.count,
};

APPLET(tcpconnect);
