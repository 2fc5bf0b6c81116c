#define ROW struct tcppktlat_event
#include "applet.h"
#include "flowcols.h"
#include "tcppktlat.h"

static struct tcppktlat_conf conf;

static const struct opt options[] = {
	OPT_TIMESTAMP('T'),
	OPT_PID('p'),
	OPT_TID('t'),
	OPT_LPORTS('l', "lport", conf.flow),
	OPT_RPORTS('r', "rport", conf.flow),
	OPT_WIDE('w'),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT(0, "min_us", NULL, &conf.min_ns, "print delays of this many microseconds or longer",
	    .max = 1000000000, .scale = 1000),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -8, "time of the read", .as = AS_TIME, .show = &common.timestamp),
	COL(task.pid, "PID", -7, "process ID of the reader"),
	COL(task.tid, "TID", -7, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	COL(task.comm, "COMM", -16, "thread name"),
	COL_ADDRESS(flow.laddr, "LADDR", "local address"),
	COL(flow.lport, "LPORT", -5, "local port"),
	COL_ADDRESS(flow.raddr, "RADDR", "remote address"),
	COL(flow.rport, "RPORT", -5, "remote port"),
	COL(lat_ns, "MS", 0, "from the arrival to the read", .as = AS_MS, .digits = 3),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "delay of reads from TCP sockets" },
	{ "1000", "those of a millisecond or longer" },
	{ "-p 181 -l 80", "of process 181 on its port 80" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "arrivals of segments", { "arrived", "arrived_raw" } },
	{ "reads", { "taken", "taken_raw" } },
	{ "ends of sockets", { "destroyed", "destroyed_raw" }, "room for new arrivals in time" },
	{ 0 },
};

static void check(void)
{
	flow_check(&conf.flow);
}

static const struct applet tcppktlat = {
	.name = "tcppktlat",
	.summary = "trace the delay between the arrival of TCP data and its being read",
	.doc = "Prints a line when a process reads from a TCP socket: how long the first segment "
	       "that it had not read yet was there. Segments that come while the process is busy "
	       "with the socket arrive when it is done.\n\n"
	       "Traces every segment and every read: expect a few percent on a busy machine.",
	.options = options,
	.positionals = positionals,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.run = run_events,
};

APPLET(tcppktlat);
