#include <errno.h>
#include <string.h>

#include "applet.h"
#include "flow.h"
#include "out.h"
#include "tcpcong.h"

static struct tcpcong_conf conf = { .lport = { 0, 65535 }, .rport = { 0, 65535 } };
static bool in_ms;

/* "80", "8000-8010" */
static int parse_ports(const char *arg, void *dst, char why[128])
{
	char from[8] = "";
	const char *dash = strchr(arg, '-');
	size_t n = dash ? (size_t)(dash - arg) : strlen(arg);
	u16 *range = dst;
	u64 low, high;

	memcpy(from, arg, n < sizeof(from) ? n : sizeof(from) - 1);
	if (n >= sizeof(from) || !parse_u64(from, 65535, &low) ||
	    !parse_u64(dash ? dash + 1 : from, 65535, &high) || low > high) {
		snprintf(why, 128, "not a port or a range of them, as 8000-8010");
		return -EINVAL;
	}
	range[0] = low;
	range[1] = high;
	return 0;
}

static const struct opt options[] = {
	OPT_PARSED('L', "localport", "PORTS", parse_ports, conf.lport,
		   "trace this local port, or a range as 8000-8010, only"),
	OPT_PARSED('R', "remoteport", "PORTS", parse_ports, conf.rport,
		   "trace this remote port, or a range, only"),
	OPT_TIMESTAMP('T'),
	OPT('d', "dist", NULL, &conf.dist, "print a histogram of durations per state"),
	OPT('u', "microseconds", NULL, &conf.us, "count microseconds, not milliseconds"),
	{ 0 },
};

static void duration(struct buf *b, const void *ns, const void *row)
{
	u64 v;

	(void)row;
	memcpy(&v, ns, sizeof(v));
	buf_u64(b, v / (conf.us ? 1000 : 1000000));
}

#define ROW struct tcpcong_row
#define COL_STAY(field, head, help)                                                                \
	COL(value.field, head "_ms", -8, help, .text = duration, .show = &in_ms),                  \
		COL(value.field, head "_us", -8, "", .text = duration, .show = &conf.us,           \
		    .no_data = true)
#define STAYS                                                                                      \
	COL_STAY(open_ns, "Open", "time in the state Open: nothing is amiss"),                     \
		COL_STAY(disorder_ns, "Dod", "in Disorder: acknowledgements are out of order"),    \
		COL_STAY(recovery_ns, "Rcov", "in Recovery: segments are sent again"),             \
		COL_STAY(cwr_ns, "Cwr", "in CWR: the window is reduced"),                          \
		COL_STAY(loss_ns, "Los", "in Loss: no acknowledgement came in time"),              \
		COL(value.changes, "Chgs", -5, "changes of state")

static const struct column columns[] = {
	COL(flow.laddr, "LAddrPort", -25, "local address and port", .as = AS_IP,
	    .text = flow_local),
	COL_DATA(flow.lport, "local port"),
	COL(flow.raddr, "RAddrPort", -25, "remote address and port", .as = AS_IP,
	    .text = flow_remote),
	COL_DATA(flow.rport, "remote port"),
	STAYS,
	{ 0 },
};

/* The second part of a report in text. */
static const struct column columns6[] = {
	COL(flow.laddr, "LAddrPort6", -32, "", .text = flow_local),
	COL(flow.raddr, "RAddrPort6", -32, "", .text = flow_remote),
	STAYS,
	{ 0 },
};

#undef ROW
#define ROW struct tcpcong_hist
static const char *const states[] = {
	[CONG_OPEN] = "open",         [CONG_DISORDER] = "disorder", [CONG_CWR] = "cwr",
	[CONG_RECOVERY] = "recovery", [CONG_LOSS] = "loss",
};

static const struct column dist_columns[] = {
	COL(state, "tcp_congest_state", 0, "open, disorder, cwr, recovery or loss", NAMES(states)),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "time in each state, by connection, until Ctrl-C" },
	{ "1 10", "ten reports, one a second" },
	{ "-R 443 -u", "connections to port 443, in microseconds" },
	{ "-L 8000-8010", "those of a range of local ports" },
	{ "-d", "durations as histograms, by state" },
	{ 0 },
};

#define EXIT(f)   #f "_exit "
#define KPROBE(f) #f "_kprobe " #f "_kretprobe "
#define CHANGERS(f)                                                                                \
	f(tcp_fastretrans_alert) f(tcp_enter_cwr) f(tcp_enter_loss) f(tcp_enter_recovery)          \
		f(tcp_process_tlp_ack)

static const struct probe probes[] = {
	{ "states of congestion control",
	  { "changed", "changed_raw", CHANGERS(EXIT), CHANGERS(KPROBE) } },
	{ "ends of sockets", { "destroyed", "destroyed_raw" }, "the time in the last state" },
	{ 0 },
};

static void check(void)
{
	in_ms = !conf.us;
}

static const struct applet dist = {
	.columns = dist_columns,
	.banner = "Tracing tcp congestion control status duration... Hit Ctrl-C to end.",
	.value = offsetof(struct tcpcong_hist, hist),
	.unit = { "msecs", "usecs", &conf.us },
	.run = run_hist,
};

/* The rows of one family, under heads of their own. */
static void print(const struct column *cols, const struct rows *rows, bool ipv4)
{
	bool any = false;

	for (size_t i = 0; i < rows->n; i++) {
		const char *row = rows_at(rows, i);

		if (flow_is_ipv4((const u8 *)row + offsetof(struct tcpcong_row, flow.raddr)) !=
		    ipv4)
			continue;
		if (!any)
			cols_header(&out, cols, false);
		any = true;
		cols_row(&out, cols, row, rows->size, 0);
		out_row();
	}
}

static void print_rows(struct run *run, const struct rows *rows, u64 now)
{
	(void)run;
	if (out_mode == OUT_TEXT) {
		print(columns, rows, true);
		print(columns6, rows, false);
		return;
	}
	for (size_t i = 0; i < rows->n; i++) {
		cols_row(&out, columns, rows_at(rows, i), rows->size, now);
		out_row();
	}
}

static const struct applet tcpcong = {
	.name = "tcpcong",
	.summary = "sum up the time of TCP connections in states of congestion control",
	.doc = "Measures how long TCP connections are in each of the states of congestion "
	       "control, and how often that changes. A connection is known from its first change "
	       "on: those that stay in the state open have no row. The time in a state is counted "
	       "when it ends, with another state or with the connection.\n\n"
	       "Costs little: there are few changes beside segments.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.value = offsetof(struct tcpcong_row, value),
	.sort = "changes",
	.check = check,
	.banner = "Tracing tcp congestion control status duration... Hit Ctrl-C to end.",
	.print_rows = print_rows,
	.run = run_table,
	.other = &dist,
	.use_other = &conf.dist,
};

APPLET(tcpcong);
