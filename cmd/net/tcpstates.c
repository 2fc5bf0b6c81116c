#include <string.h>
#include <unistd.h>

#define ROW struct tcpstates_event
#include "applet.h"
#include "flowcols.h"
#include "journal.h"
#include "tcpstates.h"

static struct tcpstates_conf conf;
static bool time_of_day, to_journal;
static int journal;

static const struct opt options[] = {
	OPT('T', "time", NULL, &time_of_day, "print the time of day"),
	OPT_TIMESTAMP('t'),
	OPT_WIDE('w'),
	OPT_CSV('s'),
	OPT_LPORTS('L', "localport", conf.flow),
	OPT_RPORTS('D', "remoteport", conf.flow),
	OPT('Y', "journal", NULL, &to_journal, "write to the systemd journal too"),
	OPT_FAMILIES(conf.flow),
	{ 0 },
};

static void arrow(struct buf *b, const void *newstate, const void *row)
{
	u32 state = *(const u32 *)newstate;

	(void)row;
	buf_fmt(b, "-> %s", state < TCP_STATES ? tcp_states[state] : "?");
}

static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time of the change", .as = AS_TIME, .show = &time_of_day),
	COL(task.time, "TIME(s)", -9, "the same, in seconds since tracing began", .as = AS_ELAPSED,
	    .digits = 6, .show = &common.timestamp, .no_data = true),
	COL(skaddr, "SKADDR", -18, "the socket: its address in the kernel", .as = AS_HEX),
	COL(task.pid, "C-PID", -7, "process that was on the CPU"),
	COL(task.comm, "C-COMM", -10, "thread that was on the CPU"),
	COL(ip, "IP", -2, "4 or 6: what goes over the wire; with -w", .show = &flow_wide),
	COL_ADDRESS(flow.laddr, "LADDR", "local address"),
	COL(flow.lport, "LPORT", -5, "local port"),
	COL_ADDRESS(flow.raddr, "RADDR", "remote address"),
	COL(flow.rport, "RPORT", -5, "remote port"),
	COL(oldstate, "OLDSTATE", -11, "state before", NAMES(tcp_states)),
	COL(newstate, "-> NEWSTATE", -14, "state after", NAMES(tcp_states), .text = arrow),
	COL(span_ns, "MS", 0, "how long it was in the state before; 0 if that is not known",
	    .as = AS_MS, .digits = 3),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "all changes of state" },
	{ "-t -w", "with the time, and columns that IPv6 addresses fit in" },
	{ "-L 80", "of sockets with this local port" },
	{ "-D 80,443", "of those with these remote ports" },
	{ "-Y", "to the journal too: journalctl -t tcpstates -o json" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "states of connections", { "changed", "changed_raw", "changed_kprobe" } },
	{ 0 },
};

static void check(void)
{
	flow_check(&conf.flow);
	if (!to_journal)
		return;
	journal = journal_open();
	if (journal < 0)
		die_err(journal, "cannot write to the journal");
}

static void add(struct buf *entry, const char *key, const struct buf *value)
{
	journal_field(entry, key, value->data, value->len);
}

static void add_number(struct buf *entry, const char *key, u64 v)
{
	struct buf value = {};

	buf_u64(&value, v);
	add(entry, key, &value);
	buf_free(&value);
}

static void add_address(struct buf *entry, u8 ip, const char *end, const u8 addr[16])
{
	struct buf key = {}, value = {};

	buf_fmt(&key, "OBJECT_IPV%u_%s_ADDRESS", ip, end);
	buf_chr(&key, '\0');
	flow_ip(&value, addr);
	add(entry, key.data, &value);
	buf_free(&key);
	buf_free(&value);
}

static void add_message(struct buf *entry, const struct tcpstates_event *e)
{
	struct buf text = {};

	buf_safe(&text, e->task.comm, strnlen(e->task.comm, sizeof(e->task.comm)));
	buf_chr(&text, ' ');
	flow_local(&text, e->flow.laddr, e);
	buf_str(&text, " -> ");
	flow_remote(&text, e->flow.raddr, e);
	buf_fmt(&text, " %s -> %s", tcp_states[e->oldstate], tcp_states[e->newstate]);
	add(entry, "MESSAGE", &text);
	buf_free(&text);
}

static void write_journal(const struct tcpstates_event *e)
{
	const char *from = tcp_states[e->oldstate], *to = tcp_states[e->newstate];
	struct buf entry = {};
	int err;

	add_message(&entry, e);
	journal_field(&entry, "SYSLOG_IDENTIFIER", "tcpstates", 9);
	journal_field(&entry, "PRIORITY", "5", 1);
	add_number(&entry, "OBJECT_PID", e->task.pid);
	journal_field(&entry, "OBJECT_COMM", e->task.comm,
		      strnlen(e->task.comm, sizeof(e->task.comm)));
	add_address(&entry, e->ip, "SOURCE", e->flow.laddr);
	add_number(&entry, "OBJECT_TCP_SOURCE_PORT", e->flow.lport);
	add_address(&entry, e->ip, "DESTINATION", e->flow.raddr);
	add_number(&entry, "OBJECT_TCP_DESTINATION_PORT", e->flow.rport);
	journal_field(&entry, "OBJECT_TCP_OLD_STATE", from, strlen(from));
	journal_field(&entry, "OBJECT_TCP_NEW_STATE", to, strlen(to));
	add_number(&entry, "OBJECT_TCP_SPAN_TIME", e->span_ns / 1000);
	err = journal_send(journal, &entry);
	if (err)
		die_err(err, "cannot write to the journal");
	buf_free(&entry);
}

static const void *event(struct run *run, const void *data, size_t *size)
{
	const struct tcpstates_event *e = data;

	(void)run;
	(void)size;
	if (to_journal && e->oldstate < TCP_STATES && e->newstate < TCP_STATES)
		write_journal(e);
	return data;
}

static const struct applet tcpstates = {
	.name = "tcpstates",
	.summary = "trace TCP state changes with the time in each state",
	.doc = "Prints a line each time a TCP socket goes from one state to another. Most changes "
	       "come with a packet, in a soft interrupt: then the process is whatever was "
	       "interrupted. A socket in TIME_WAIT is another, small one, whose changes are not "
	       "traced: here the connection ends with CLOSE.\n\n"
	       "Costs little: there are few changes beside packets.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.event = event,
	.run = run_events,
};

APPLET(tcpstates);
