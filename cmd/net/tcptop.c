#include <errno.h>
#include <string.h>
#include <linux/version.h>

#define ROW struct tcptop_row
#include "applet.h"
#include "kernel.h"
#include "load.h"
#include "out.h"
#include "tcptop.h"

static struct tcptop_conf conf;
static bool no_summary;
static enum { BY_ALL, BY_SENT, BY_RECEIVED } order;

static const struct opt options[] = {
	OPT_NOCLEAR('C'),
	OPT('S', "nosummary", NULL, &no_summary, "leave out the line of the load average"),
	OPT_PID('p'),
	OPT('4', "ipv4", NULL, &conf.ipv4, "count IPv4 only"),
	OPT('6', "ipv6", NULL, &conf.ipv6, "count IPv6 only"),
	OPT_CHOICE('s', "sort", "ORDER", &order, "sort by: all (default), sent, received", "all",
		   "sent", "received"),
	OPT_ROWS('r'),
	OPT_CGROUP('c'),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.pid, "PID", -7, "process ID"),
	COL(key.comm, "COMM", -12, "name of the thread that sent or received"),
	COL(key.flow.laddr, "LADDR", -21, "local address and port", .as = AS_IP,
	    .text = flow_local),
	COL_DATA(key.flow.lport, "local port"),
	COL(key.flow.raddr, "RADDR", -21, "remote address and port", .as = AS_IP,
	    .text = flow_remote),
	COL_DATA(key.flow.rport, "remote port"),
	COL(value.rx_bytes, "RX_KB", 6, "received in the interval, in kilobytes of 1024",
	    .as = AS_KB),
	COL(value.tx_bytes, "TX_KB", 6, "sent in the interval, in kilobytes of 1024", .as = AS_KB),
	{ 0 },
};

/* The second part of a report in text. */
static const struct column columns6[] = {
	COL(key.pid, "PID", -7, ""),
	COL(key.comm, "COMM", -12, ""),
	COL(key.flow.laddr, "LADDR6", -32, "", .text = flow_local),
	COL(key.flow.raddr, "RADDR6", -32, "", .text = flow_remote),
	COL(value.rx_bytes, "RX_KB", 6, "", .as = AS_KB),
	COL(value.tx_bytes, "TX_KB", 6, "", .as = AS_KB),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "TCP throughput by process and connection, every second" },
	{ "-C 5 3", "three reports of five seconds, without clearing the screen" },
	{ "-p 181", "that of process 181" },
	{ "--json 1", "bytes, exactly" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "sends",
	  { "sending sent sending_page? sent_page?",
	    "send_enter send_leave sendpage_enter? sendpage_leave?" } },
	{ "receives", { "receiving receive", "receive_enter receive_leave" } },
	{ "receives by splice",
	  { "splicing spliced", "splice_enter splice_leave" },
	  "receives by splice(2)" },
	{ 0 },
};

static void check(void)
{
	if (conf.ipv4 && conf.ipv6)
		opt_error("--ipv4 and --ipv6 exclude each other");
	conf.nonblock_arg = kernel_release() < KERNEL_VERSION(5, 19, 0);
}

static u64 rank(const void *row)
{
	struct tcptop_value v;

	memcpy(&v, (const char *)row + offsetof(struct tcptop_row, value), sizeof(v));
	return (order == BY_SENT ? 0 : v.rx_bytes) + (order == BY_RECEIVED ? 0 : v.tx_bytes);
}

static int compare(const void *a, const void *b)
{
	u64 x = rank(a), y = rank(b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing... Output every %d secs. Hit Ctrl-C to end.\n", common.interval ?: 1);
}

static void report(struct run *run)
{
	if (!no_summary)
		report_load(run);
	else if (out_mode == OUT_TEXT)
		buf_chr(&out, '\n');
}

/* The rows of one family, under heads of their own. */
static void print(const struct column *cols, const struct rows *rows, size_t n, bool ipv4,
		  bool apart)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const char *row = rows_at(rows, i);

		if (flow_is_ipv4((const u8 *)row + offsetof(struct tcptop_row, key.flow.raddr)) !=
		    ipv4)
			continue;
		if (!any && apart)
			buf_chr(&out, '\n');
		if (!any)
			cols_header(&out, cols, false);
		any = true;
		cols_row(&out, cols, row, rows->size, 0);
		out_row();
	}
}

static void print_rows(struct run *run, const struct rows *rows, u64 now)
{
	size_t n = common.rows && rows->n > (size_t)common.rows ? (size_t)common.rows : rows->n;

	(void)run;
	if (out_mode == OUT_TEXT) {
		print(columns, rows, n, true, false);
		print(columns6, rows, n, false, true);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		cols_row(&out, columns, rows_at(rows, i), rows->size, now);
		out_row();
	}
}

static const struct applet tcptop = {
	.name = "tcptop",
	.summary = "show TCP throughput by process and connection",
	.doc = "Counts the bytes that processes send and receive on TCP sockets, as the calls "
	       "return them: what was really taken or given, without MSG_PEEK. Connections over "
	       "IPv4 are shown as such, whatever the family of the socket.\n\n"
	       "Not seen: zero-copy receives, what the kernel itself reads from sockets or "
	       "encrypts "
	       "(TLS), and MPTCP.\n\n"
	       "Traces every send and receive: expect a few percent on a busy machine.",
	.positionals = ARGS_EVERY_SECOND,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	VALUE(value),
	.check = check,
	.compare = compare,
	.banner_text = banner,
	.report = report,
	.print_rows = print_rows,
	.run = run_top,
};

APPLET(tcptop);
