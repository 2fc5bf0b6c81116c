#define ROW struct tcplife_event
#include "accept.h"
#include "applet.h"
#include "flowcols.h"
#include "tcplife.h"

static struct tcplife_conf conf;
static bool time_of_day;

static const struct opt options[] = {
	OPT('T', "time", NULL, &time_of_day, "print the time of day"),
	OPT_TIMESTAMP('t'),
	OPT_WIDE('w'),
	OPT_CSV('s'),
	OPT_PID('p'),
	OPT_LPORTS('L', "localport", conf.flow),
	OPT_RPORTS('D', "remoteport", conf.flow),
	OPT_FAMILIES(conf.flow),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time of the end", .as = AS_TIME, .show = &time_of_day),
	COL(task.time, "TIME(s)", -9, "the same, in seconds since tracing began", .as = AS_ELAPSED,
	    .digits = 6, .show = &common.timestamp, .no_data = true),
	COL(task.pid, "PID", -7, "process ID; 0: never accepted"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	COL(task.comm, "COMM", -10, "thread name"),
	COL(ip, "IP", -2, "4 or 6: what went over the wire; with -w", .show = &flow_wide),
	COL_ADDRESS(flow.laddr, "LADDR", "local address"),
	COL(flow.lport, "LPORT", -5, "local port"),
	COL_ADDRESS(flow.raddr, "RADDR", "remote address"),
	COL(flow.rport, "RPORT", -5, "remote port"),
	COL(tx_bytes, "TX_KB", 6, "sent and acknowledged, in kilobytes of 1024", .as = AS_KB),
	COL(rx_bytes, "RX_KB", 6, "received, in kilobytes of 1024", .as = AS_KB),
	COL(span_ns, "MS", 0, "from the connection's establishment to its end", .as = AS_MS,
	    .digits = 2),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "connections, as they end" },
	{ "-t", "with the time in seconds" },
	{ "-w", "with columns that IPv6 addresses fit in" },
	{ "-L 80,81", "of these local ports" },
	{ "-p 181", "of process 181" },
	{ "--json", "bytes, exactly" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "states of connections", { "changed", "changed_raw", "changed_kprobe" } },
	{ "accepts", ACCEPTED_CANDIDATES, "who accepted; shown is who closed first" },
	{ 0 },
};

static void check(void)
{
	flow_check(&conf.flow);
}

static const struct applet tcplife = {
	.name = "tcplife",
	.summary = "trace TCP connections with their duration and bytes",
	.doc = "Prints a line when a TCP connection ends: whose it was, its bytes of each "
	       "direction, and how long it was established. It ends here when nothing is left to "
	       "be done by either side, or with a reset; the state TIME_WAIT comes after that. "
	       "Connections that were established before tracing began are not shown; connects "
	       "that failed are.\n\n"
	       "The process is the one that connected or accepted, whoever closed. Bytes are those "
	       "of the stream, each once, however often it was sent.\n\n"
	       "Traces changes of state: little beside the cost of a connection.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.run = run_events,
};

APPLET(tcplife);
