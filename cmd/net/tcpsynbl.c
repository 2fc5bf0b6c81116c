#define ROW struct tcpsynbl_row
#include "applet.h"
#include "tcpsynbl.h"

static struct tcpsynbl_conf conf;

static const struct opt options[] = {
	OPT('4', "ipv4", NULL, &conf.ipv4, "trace IPv4 only"),
	OPT('6', "ipv6", NULL, &conf.ipv6, "trace IPv6 only"),
	OPT_TIMESTAMP('T'),
	{ 0 },
};

static const struct column columns[] = {
	COL(backlog_max, "backlog_max", 0, "the limit that listen(2) set"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "backlogs until Ctrl-C" },
	{ "-T 1", "every second, with the time" },
	{ "-4", "of connections over IPv4" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "new connections", { "joining4 joining6?", "joining4_kprobe joining6_kprobe?" } },
	{ 0 },
};

static void check(void)
{
	if (conf.ipv4 && conf.ipv6)
		opt_error("--ipv4 and --ipv6 exclude each other");
}

static const struct applet tcpsynbl = {
	.name = "tcpsynbl",
	.summary = "show the backlogs of listening TCP sockets as histograms",
	.doc = "Each time that a connection is ready to be accepted, takes how many there are "
	       "already that wait for that on the listening socket. A histogram for each limit "
	       "shows how near it is: at the limit, the connection is dropped, and the other side "
	       "tries again later.\n\n"
	       "Costs little: it is once a connection.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.banner = "Tracing SYN backlog size. Ctrl-C to end.",
	VALUE(hist),
	.unit = { "backlog" },
	.run = run_hist,
};

APPLET(tcpsynbl);
