#define ROW struct tcptracer_event
#include "accept.h"
#include "applet.h"
#include "clock.h"
#include "flowcols.h"
#include "tcptracer.h"

static struct tcptracer_conf conf;
static bool words, letters, seconds, nanoseconds;

static const char *const types[] = {
	[TCPTRACER_CONNECT] = "connect",
	[TCPTRACER_ACCEPT] = "accept",
	[TCPTRACER_CLOSE] = "close",
};

static const struct opt options[] = {
	OPT_TIMESTAMP('t'),
	OPT_PID('p'),
	OPT('N', "netns", "INODE", &conf.netns, "trace this network namespace only", .min = 1),
	OPT_PRINT_UID('U'),
	OPT_UID('u'),
	OPT_FAMILIES(conf.flow),
	OPT_CGROUPMAP('C'),
	OPT_MNTNSMAP('M'),
	OPT('v', "verbose", NULL, &words,
	    "print words for the types, the network namespace, and times in nanoseconds"),
	{ 0 },
};

static void letter(struct buf *b, const void *type, const void *row)
{
	u32 v = *(const u32 *)type;

	(void)row;
	buf_chr(b, v == TCPTRACER_CONNECT ? 'C' : v == TCPTRACER_ACCEPT ? 'A' : 'X');
}

static void since_begin(struct buf *b, const void *time, const void *row)
{
	u64 v = *(const u64 *)time;

	(void)row;
	buf_u64(b, v > clock_start ? v - clock_start : 0);
}

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -9, "time since tracing began", .as = AS_ELAPSED, .digits = 3,
	    .show = &seconds),
	COL(task.time, "TIME(ns)", -14, "the same with -v", .text = since_begin,
	    .show = &nanoseconds, .no_data = true),
	COL(task.uid, "UID", -6, "user ID", .show = &common.print_uid),
	COL(type, "T", -2, "C connect, A accept, X close", NAMES(types), .text = letter,
	    .show = &letters),
	COL(type, "TYPE", -12, "connect, accept or close, with -v", NAMES(types), .show = &words,
	    .no_data = true),
	COL(task.pid, "PID", -7, "process ID"),
	COL_DATA(task.tid, "thread ID"),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(ip, "IP", -2, "4 or 6: what goes over the wire, whatever the family of the socket"),
	COL(flow.laddr, "SADDR", -16, "local address", .as = AS_IP),
	COL(flow.raddr, "DADDR", -16, "remote address", .as = AS_IP),
	COL(flow.lport, "SPORT", -6, "local port"),
	COL(flow.rport, "DPORT", -6, "remote port"),
	COL(netns, "NETNS", -8, "network namespace, by its inode; with -v", .show = &words),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "connections that are established, accepted and closed" },
	{ "-t", "with the time" },
	{ "-v -N 4026531840", "in words, of one network namespace" },
	{ "-p 181", "by process 181" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "connects", { "changed", "changed_raw", "changed_kprobe" } },
	{ "accepts", ACCEPTED_CANDIDATES },
	{ "closes", { "closed", "closed_kprobe" } },
	{ 0 },
};

static void check(void)
{
	flow_check(&conf.flow);
	letters = !words;
	seconds = common.timestamp && !words;
	nanoseconds = common.timestamp && words;
}

static const struct applet tcptracer = {
	.name = "tcptracer",
	.summary = "trace TCP connects, accepts and closes",
	.doc = "Prints a line when a TCP connection is established by connect(2), taken by "
	       "accept(2), or closed. Connects that fail have no line, nor have their closes. The "
	       "process is the one that connected, accepts or closes.\n\n"
	       "Costs next to nothing: connections are rare beside packets.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.banner = "Tracing TCP established connections. Ctrl-C to end.",
	.run = run_events,
};

APPLET(tcptracer);
