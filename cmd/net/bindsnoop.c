#include <errno.h>
#include <string.h>

#include "applet.h"
#include "bindsnoop.h"
#include "flowcols.h"

static struct bindsnoop_conf conf;

static const struct opt options[] = {
	OPT_TIMESTAMP('t'),
	OPT_WIDE('w'),
	OPT_PID('p'),
	OPT('P', "port", "PORTS", &conf.ports, "trace this local port only (a list: 80,443)",
	    .max = 65535, .also = "ports"),
	OPT('E', "errors", NULL, &conf.errors, "trace binds that fail too"),
	OPT('x', "failed", NULL, &conf.errors, "the same as --errors"),
	OPT_PRINT_UID('U'),
	OPT_UID('u'),
	OPT(0, "count", NULL, &conf.count, "count per address and port"),
	OPT_CGROUP('c'),
	OPT(0, "debug-source", NULL, &common.verbose, "the same as --verbose"),
	{ 0 },
};

static void result(struct buf *b, const void *ret, const void *row)
{
	s32 v = *(const s32 *)ret;

	(void)row;
	if (v && flow_wide)
		buf_fmt(b, "%s", strerror(-v));
	else
		buf_s64(b, v);
}

static void opts_name(struct buf *b, const void *opts, const void *row)
{
	static const char letters[] = "FTNRr";

	(void)row;
	for (int i = 0; i < 5; i++)
		buf_chr(b, *(const u32 *)opts >> (4 - i) & 1 ? letters[i] : '.');
}

/* IPPROTO_* of netinet/in.h. */
static const char *const protocols[] = {
	[1] = "ICMP", [6] = "TCP", [17] = "UDP", [58] = "ICMP6", [136] = "UDPLITE",
};

#define ROW struct bindsnoop_event
static const struct column columns[] = {
	COL(task.time, "TIME(s)", -9, "time since tracing began", .as = AS_ELAPSED, .digits = 3,
	    .show = &common.timestamp),
	COL(task.uid, "UID", -6, "user ID", .show = &common.print_uid),
	COL(ret, "RC", -3, "0, or the error as a negative number; with -w in words", .text = result,
	    .show = &conf.errors),
	COL(task.pid, "PID", -8, "process ID"),
	COL_DATA(task.tid, "thread ID"),
	COL(task.comm, "COMM", -12, "thread name"),
	COL(protocol, "PROT", -4, "TCP, UDP ...", NAMES(protocols)),
	COL_ADDRESS(to.addr, "ADDR", "local address; of a bind that failed what was asked for"),
	COL(to.port, "PORT", -5, "local port; of a bind that failed what was asked for"),
	COL(opts, "OPTS", -5,
	    "options of the socket: F freebind, T transparent, N bind address no port, R reuse "
	    "address, r reuse port",
	    .name = opts_name),
	COL(device, "IF", 0, "index of the network device that the socket is bound to, 0: none"),
	{ 0 },
};

#undef ROW
#define ROW struct bindsnoop_row
static const struct column count_columns[] = {
	COL(to.addr, "LADDR", -40, "local address", .as = AS_IP),
	COL(to.port, "LPORT", -6, "local port"),
	COL(binds, "BINDS", 0, "how many"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "binds of IPv4 and IPv6 sockets" },
	{ "-t -U", "with time and user" },
	{ "-E", "those that fail too" },
	{ "-P 80,443", "to these ports" },
	{ "--count", "how many, by address and port, until Ctrl-C" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "binds", { "binding4 bound4 binding6? bound6?", "enter4 leave4 enter6? leave6?" } },
	{ 0 },
};

static void check(void)
{
	flow_narrow = !flow_wide;
}

static const struct applet counting = {
	.columns = count_columns,
	.banner = "Tracing binds ... Hit Ctrl-C to end",
	.value = offsetof(struct bindsnoop_row, binds),
	.sort = "binds",
	.run = run_table,
};

static const struct applet bindsnoop = {
	.name = "bindsnoop",
	.summary = "trace bind(2) with the socket options that matter for it",
	.doc = "Prints a line for each bind(2) of an IPv4 or IPv6 socket, when it returns: the "
	       "port is then known even if the kernel chose it.\n\n"
	       "Costs nothing otherwise.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.run = run_events,
	.other = &counting,
	.use_other = &conf.count,
};

APPLET(bindsnoop);
