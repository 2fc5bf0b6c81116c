#include "applet.h"
#include "flowcols.h"
#include "tcpretrans.h"

static struct tcpretrans_conf conf;
static bool sequence, loss_probes;

static const char *const types[] = { [TCPRETRANS_AGAIN] = "R>", [TCPRETRANS_PROBE] = "L>" };

static const struct opt options[] = {
	OPT('s', "sequence", NULL, &sequence, "print the sequence number"),
	OPT('l', "lossprobe", NULL, &loss_probes, "trace tail loss probes too"),
	OPT('c', "count", NULL, &conf.count, "count per connection"),
	OPT_FAMILIES(conf.flow),
	{ 0 },
};

#define ROW struct tcpretrans_event
static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time", .as = AS_TIME),
	COL(task.pid, "PID", -7, "process that was on the CPU: 0 is none"),
	COL_DATA(task.comm, "thread that was on the CPU"),
	COL(ip, "IP", -2, "4 or 6: what goes over the wire"),
	COL(flow.laddr, "LADDR:LPORT", -20, "local address and port", .as = AS_IP,
	    .text = flow_local),
	COL_DATA(flow.lport, "local port"),
	COL(type, "T>", -2, "R> a segment is sent again, L> a tail loss probe", NAMES(types)),
	COL(flow.raddr, "RADDR:RPORT", -20, "remote address and port", .as = AS_IP,
	    .text = flow_remote),
	COL_DATA(flow.rport, "remote port"),
	COL(state, "STATE", -12, "state of the connection", NAMES(tcp_states)),
	COL(seq, "SEQ", 10, "sequence number it begins with; 0 of SYN+ACKs and loss probes",
	    .show = &sequence),
	COL_DATA(segments, "segments of the largest size that the network takes; 0 of probes"),
	{ 0 },
};

static void count_remote(struct buf *b, const void *raddr, const void *row)
{
	buf_str(b, "<-> ");
	flow_remote(b, raddr, row);
}

#undef ROW
#define ROW struct tcpretrans_row
static const struct column count_columns[] = {
	COL(flow.laddr, "LADDR:LPORT", -20, "local address and port", .as = AS_IP,
	    .text = flow_local),
	COL_DATA(flow.lport, "local port"),
	COL(flow.raddr, "RADDR:RPORT", -24, "remote address and port", .as = AS_IP,
	    .text = count_remote),
	COL_DATA(flow.rport, "remote port"),
	COL(retransmits, "RETRANSMITS", 0, "how many"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "segments that are sent again" },
	{ "-l -s", "loss probes too, with sequence numbers" },
	{ "-c", "how many, by connection, until Ctrl-C" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "retransmits", { "again", "again_raw", "again_kprobe" } },
	{ "retransmits of SYN+ACKs", { "synack", "synack_raw" }, "those of SYN+ACKs" },
	{ "tail loss probes",
	  { "loss_probe", "loss_probe_kprobe" },
	  "loss probes (-l)",
	  &loss_probes },
	{ 0 },
};

static void check(void)
{
	flow_check(&conf.flow);
}

static const struct applet counting = {
	.columns = count_columns,
	.banner = "Tracing retransmits ... Hit Ctrl-C to end",
	VALUE(retransmits),
	.sort = "retransmits",
	.ascending = true,
	.run = run_table,
};

static const struct applet tcpretrans = {
	.name = "tcpretrans",
	.summary = "trace or count TCP retransmits",
	.doc = "Prints a line when TCP sends a segment again. Timers and packets cause that: the "
	       "process is whatever was on the CPU. With -l, tail loss probes are shown as well; "
	       "where one sends old data, that is a retransmit too and has a line of its own.\n\n"
	       "Costs nothing where nothing is lost.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.banner = "Tracing retransmits ... Hit Ctrl-C to end",
	.run = run_events,
	.other = &counting,
	.use_other = &conf.count,
};

APPLET(tcpretrans);
