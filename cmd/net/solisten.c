#define ROW struct solisten_event
#include "applet.h"
#include "solisten.h"

static struct solisten_conf conf;
static bool show_netns;

static const struct opt options[] = {
	OPT(0, "show-netns", NULL, &show_netns, "print the network namespace"),
	OPT_TIMESTAMP('t'),
	OPT_PID('p'),
	OPT('n', "netns", "INODE", &conf.netns, "trace this network namespace only", .min = 1),
	{ 0 },
};

static void protocol(struct buf *b, const void *ip, const void *row)
{
	(void)row;
	buf_fmt(b, "TCPv%u", *(const u32 *)ip);
}

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -9, "time since tracing began", .as = AS_ELAPSED, .digits = 3,
	    .show = &common.timestamp),
	COL(task.pid, "PID", -7, "process ID"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(netns, "NETNS", -11, "network namespace, by its inode", .show = &show_netns),
	COL(ip, "PROTO", -6, "TCPv4 or TCPv6, by the family of the socket", .name = protocol),
	COL(backlog, "BACKLOG", -7, "length of the queue that was asked for"),
	COL(flow.lport, "PORT", -6, "local port"),
	COL(flow.laddr, "ADDR", 0, "local address", .as = AS_IP),
	COL_DATA(ret, "0, or the error as a negative number"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "sockets that begin to listen" },
	{ "--show-netns", "with the network namespace" },
	{ "-p 181", "those of process 181" },
	{ "-n 4026531840", "those in the network namespace of this inode" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "listen", { "listening listened", "listen_enter listen_leave" } },
	{ 0 },
};

static const struct applet solisten = {
	.name = "solisten",
	.summary = "trace TCP sockets that begin to listen",
	.doc = "Prints a line for each listen(2) on a TCP socket, with what it asked for and where "
	       "it listens. A second call on a socket changes its backlog. Calls that fail are "
	       "shown, too: --json tells them by `ret`.\n\n"
	       "Costs nothing otherwise.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.run = run_events,
};

APPLET(solisten);
