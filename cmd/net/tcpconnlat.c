#include <errno.h>
#include <stdlib.h>

#define ROW struct tcpconnlat_event
#include "applet.h"
#include "flowcols.h"
#include "tcpconnlat.h"

static struct tcpconnlat_conf conf;
static bool lport;

static int parse_ms(const char *arg, void *dst, char why[128])
{
	char *end;
	double ms = strtod(arg, &end);

	if (end == arg || *end || !(ms >= 0 && ms <= 1e9)) {
		snprintf(why, 128, "not a number from 0 to 1000000000");
		return -EINVAL;
	}
	*(u64 *)dst = ms * 1000000;
	return 0;
}

static const struct opt options[] = {
	OPT_TIMESTAMP('t'),
	OPT_PID('p'),
	OPT('L', "lport", NULL, &lport, "print the local port"),
	OPT_FAMILIES(conf.flow),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT_PARSED(0, "duration_ms", NULL, parse_ms, &conf.min_ns,
		   "print connects of this many milliseconds or longer"),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -9, "time of the answer, since tracing began", .as = AS_ELAPSED,
	    .digits = 3, .show = &common.timestamp),
	COL(task.pid, "PID", -7, "process ID"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	COL(task.comm, "COMM", -12, "thread name"),
	COL(ip, "IP", -2, "4 or 6: what goes over the wire, whatever the family of the socket"),
	COL(flow.laddr, "SADDR", -16, "local address", .as = AS_IP),
	COL(flow.lport, "LPORT", -6, "local port", .show = &lport),
	COL(flow.raddr, "DADDR", -16, "remote address", .as = AS_IP),
	COL(flow.rport, "DPORT", -5, "remote port"),
	COL(lat_ns, "LAT(ms)", 0, "from the call of connect(2) to the answer", .as = AS_MS,
	    .digits = 2),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "latency of connects" },
	{ "10", "those of 10 ms or longer" },
	{ "-t -L", "with the time and the local port" },
	{ "-p 181", "those of process 181" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "connects", { "connect4 connect6?", "connect4_kprobe connect6_kprobe?" } },
	{ "answers", { "answered", "answered_kprobe" } },
	{ "ends of sockets", { "destroyed", "destroyed_raw" }, "room for new connects in time" },
	{ 0 },
};

static void check(void)
{
	flow_check(&conf.flow);
}

static const struct applet tcpconnlat = {
	.name = "tcpconnlat",
	.summary = "trace TCP connects with their latency",
	.doc = "Measures how long the other side takes to answer a TCP connect: from the kernel's "
	       "beginning of connect(2) until the first packet of the other side is dealt with, "
	       "for non-blocking sockets too. That is the time of a round trip and of both "
	       "kernels' work; the other program need not have accepted. An answer may also be a "
	       "refusal. Connects that nobody answers are not shown.\n\n"
	       "Traces the packets at the beginnings and ends of connections: little beside the "
	       "cost of these.",
	.options = options,
	.positionals = positionals,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.run = run_events,
};

APPLET(tcpconnlat);
