#include <string.h>
#include <linux/version.h>

#include "applet.h"
#include "clock.h"
#include "dns.h"
#include "kernel.h"
#include "tcpconnect.h"

/* What is printed: an event, and what is known of its address. */
struct line {
	struct tcpconnect_event event;
	u64 query_age_ns;
	char query[DNS_NAME_MAX];
};

static struct tcpconnect_conf conf;

static const struct opt options[] = {
	OPT_TIMESTAMP('t'),
	OPT_PID('p'),
	OPT('P', "port", "PORTS", &conf.ports, "trace connects to this port only (a list: 80,443)",
	    .max = 65535),
	OPT('4', "ipv4", NULL, &conf.ipv4, "trace IPv4 only"),
	OPT('6', "ipv6", NULL, &conf.ipv6, "trace IPv6 only"),
	OPT('L', "lport", NULL, &conf.lport, "print the local port; with -c, count by it too"),
	OPT('s', "source-port", NULL, &conf.lport, "the same as --lport"),
	OPT_PRINT_UID('U'),
	OPT_UID('u'),
	OPT('d', "dns", NULL, &conf.dns, "print the name that the address was last the answer to"),
	OPT_CGROUPMAP('C'),
	OPT_MNTNSMAP('M'),
	OPT('c', "count", NULL, &conf.count, "count connects per pair of addresses and port"),
	{ 0 },
};

/* JSON and CSV have the name alone, if there is one. */
static void query_text(struct buf *b, const void *field, const void *row)
{
	static const u8 local[16] = { [10] = 0xff, [11] = 0xff, 127, 0, 0, 1 },
			local6[16] = { [15] = 1 };
	const struct line *line = row;
	const u8 *to = line->event.flow.raddr;

	if (*line->query)
		buf_safe(b, field, strlen(line->query));
	else if (!memcmp(to, local, 16) || !memcmp(to, local6, 16))
		buf_str(b, "localhost");
	else
		buf_str(b, "No DNS Query");
	if (line->query_age_ns < 100 * 1000000)
		return;
	buf_str(b, " (");
	buf_fixed(b, line->query_age_ns, 1000000, 3);
	buf_str(b, "ms)");
}

#define ROW struct line
static const struct column columns[] = {
	COL(event.task.time, "TIME(s)", -8, "time of the connect, since tracing began",
	    .as = AS_ELAPSED, .digits = 3, .show = &common.timestamp),
	COL(event.task.uid, "UID", -5, "user ID", .show = &common.print_uid),
	COL(event.task.pid, "PID", -7, "process ID"),
	COL_DATA(event.task.tid, "thread ID"),
	COL(event.task.comm, "COMM", -12, "thread name"),
	COL(event.ip, "IP", -2,
	    "4 or 6: what goes over the wire, whatever the family of the socket"),
	COL(event.flow.laddr, "SADDR", -16, "local address", .as = AS_IP),
	COL(event.flow.lport, "LPORT", -6, "local port", .show = &conf.lport),
	COL(event.flow.raddr, "DADDR", -16, "remote address", .as = AS_IP),
	COL(event.flow.rport, "DPORT", -6, "remote port"),
	COL(query, "QUERY", 0,
	    "name that was asked for, and how long ago its answer came if that is 100 ms or more",
	    .show = &conf.dns, .text = query_text),
	COL_DATA(query_age_ns, "how long ago the answer to that query came"),
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
	{ "-d", "with the names that were asked for" },
	{ "-c", "how many, by addresses and port, until Ctrl-C" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "connects",
	  { "connecting connected connecting6? connected6?", "enter4 leave4 enter6? leave6?" } },
	{ "DNS answers",
	  { "answer_begin answer_end answer_begin6? answer_end6?" },
	  "names of addresses (-d)",
	  &conf.dns },
	{ 0 },
};

static void check(void)
{
	if (conf.ipv4 && conf.ipv6)
		opt_error("--ipv4 and --ipv6 exclude each other");
	if (conf.dns && conf.count)
		opt_error("--dns and --count exclude each other");
	conf.nonblock_arg = kernel_release() < KERNEL_VERSION(5, 19, 0);
}

static void remember(const u8 addr[16], const char *name, void *ctx)
{
	const struct bcc_task *task = ctx;

	dns_remember(addr, name, task->time);
}

static const void *event(struct run *run, const void *data, size_t *size)
{
	const struct tcpconnect_dns *dns = data;
	static struct line line;
	char query[DNS_NAME_MAX];
	const char *name;

	(void)run;
	if (*size < sizeof(line.event))
		return NULL;
	if (!dns->ip) {
		dns_parse(dns->packet, *size - offsetof(struct tcpconnect_dns, packet), query,
			  remember, (void *)&dns->task);
		return NULL;
	}
	memcpy(&line.event, data, sizeof(line.event));
	line.query_age_ns = 0;
	name = dns_recall(line.event.flow.raddr, line.event.task.time, &line.query_age_ns);
	snprintf(line.query, sizeof(line.query), "%s", name ?: "");
	*size = sizeof(line);
	return &line;
}

static const struct applet counting = {
	.columns = count_columns,
	.banner = "Tracing connects... Hit Ctrl-C to end.",
	VALUE(connects),
	.sort = "connects",
	.run = run_table,
};

static const struct applet tcpconnect = {
	.name = "tcpconnect",
	.summary = "trace active TCP connections",
	.doc = "Traces connect(2) of TCP sockets, and prints a line when the first packet has been "
	       "sent. Whether anybody answers is not known then: connects that will be refused or "
	       "time out are among the rows, and so are those of non-blocking sockets, where "
	       "connect(2) returns EINPROGRESS. Those that fail before, for want of a route or a "
	       "port, are not.\n\n"
	       "With -d, answers that processes take from port 53 by UDP are read too, and the "
	       "name that was asked for is printed with connects to the addresses in them. It is "
	       "the last one asked for by anybody: a guess where names share an address.\n\n"
	       "Costs next to nothing: connects are rare.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.event = event,
	.run = run_events,
	.other = &counting,
	.use_other = &conf.count,
};

APPLET(tcpconnect);
