#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/version.h>

#define ROW struct tcpdrop_event
#include "applet.h"
#include "kernel.h"
#include "stacks.h"
#include "tcpdrop.h"

#define REASONS 1024 /* reasons of the core; those of subsystems are numbers above */

static struct tcpdrop_conf conf;
static u32 netns_of;
static char *reasons[REASONS];

static const struct opt options[] = {
	OPT('4', "ipv4", NULL, &conf.ipv4, "trace IPv4 only"),
	OPT('6', "ipv6", NULL, &conf.ipv6, "trace IPv6 only"),
	OPT(0, "netns-id", "INODE", &conf.netns, "trace this network namespace only", .min = 1),
	OPT(0, "pid-netns", "PID", &netns_of, "trace the network namespace of this process only",
	    .min = 1, .max = PID_LIMIT),
	{ 0 },
};

static void end_text(struct buf *b, const void *addr, u16 port)
{
	flow_ip(b, addr);
	buf_chr(b, ':');
	buf_u64(b, port);
}

static void source(struct buf *b, const void *addr, const void *row)
{
	end_text(b, addr, ((const ROW *)row)->sport);
}

static void destination(struct buf *b, const void *addr, const void *row)
{
	buf_str(b, "> ");
	end_text(b, addr, ((const ROW *)row)->dport);
}

static void flags_name(struct buf *b, const void *flags, const void *row)
{
	static const char *const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"
	};
	const char *between = "";

	(void)row;
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (*(const u8 *)flags >> i & 1) {
			buf_fmt(b, "%s%s", between, names[i]);
			between = "|";
		}
}

static void state_text(struct buf *b, const void *flags, const void *row)
{
	u8 state = ((const ROW *)row)->state;

	buf_fmt(b, "%s (", state < TCP_STATES ? tcp_states[state] : "?");
	flags_name(b, flags, row);
	buf_chr(b, ')');
}

static void reason_name(struct buf *b, const void *reason, const void *row)
{
	u32 code = *(const u32 *)reason;

	(void)row;
	if (code < REASONS && reasons[code])
		buf_fmt(b, "SKB_DROP_REASON_%s", reasons[code]);
	else
		buf_u64(b, code);
}

static void reason_text(struct buf *b, const void *reason, const void *row)
{
	reason_name(b, reason, row);
	buf_fmt(b, " (%u)", *(const u32 *)reason);
}

static const struct column columns[] = {
	COL(task.time, "TIME", -8, "time", .as = AS_TIME),
	COL(task.pid, "PID", -7, "process that was on the CPU: 0 is none"),
	COL_DATA(task.comm, "thread that was on the CPU"),
	COL(ip, "IP", -2, "4 or 6"),
	COL(saddr, "SADDR:SPORT", -20, "source of the packet", .as = AS_IP, .text = source),
	COL_DATA(sport, "source port"),
	COL(daddr, "> DADDR:DPORT", -22, "destination of the packet", .as = AS_IP,
	    .text = destination),
	COL_DATA(dport, "destination port"),
	COL_DATA(state, "state of the socket; - where none is known", NAMES(tcp_states)),
	COL(flags, "STATE (FLAGS)", -22,
	    "state of the socket, - where none is known, and flags of the packet",
	    .text = state_text, .no_data = true),
	COL_DATA(flags, "flags of the packet", .name = flags_name),
	COL(reason, "REASON (CODE)", 0, "why, as the kernel calls it, and its number",
	    .text = reason_text, .no_data = true),
	COL_DATA(reason, "why, as the kernel calls it", .name = reason_name),
	COL_DATA(netns, "network namespace, by its inode"),
	COL_STACK(stack, "STACK", AS_KSTACK, NULL, "kernel frames, the innermost first"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "TCP packets that the kernel drops, with why and where" },
	{ "-4", "those of IPv4" },
	{ "--pid-netns 181", "those in the network namespace of process 181" },
	{ "--netns-id 4026531840", "those in the network namespace of this inode" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "dropped packets", { "freed_btf", "freed_raw", "dropped" } },
	{ 0 },
};

/*
 * Names and numbers of the reasons are this kernel's own: the tracepoint's format has them as
 * { 3, "NO_SOCKET" }, ... (Documentation/trace/events.rst).
 */
static void parse_reasons(const char *format)
{
	for (const char *p = format; (p = strstr(p, "{ ")); p++) {
		char name[64];
		u32 code;

		if (sscanf(p, "{ %u, \"%63[A-Z0-9_]\" }", &code, name) != 2 || code >= REASONS)
			continue;
		if (!reasons[code])
			reasons[code] = xasprintf("%s", name);
		if (!strcmp(name, "NOT_SPECIFIED"))
			conf.unspecified = code;
	}
}

static void read_reasons(void)
{
	int dir = tracefs_dir(), fd;
	char *format;

	if (dir < 0)
		return;
	fd = openat(dir, "events/skb/kfree_skb/format", O_RDONLY | O_CLOEXEC);
	format = fd < 0 ? NULL : read_fd(fd, 1 << 20, NULL);
	if (fd >= 0)
		close(fd);
	if (format)
		parse_reasons(format);
	free(format);
}

static void check(void)
{
	char *path;
	struct stat st;

	if (conf.ipv4 && conf.ipv6)
		opt_error("--ipv4 and --ipv6 exclude each other");
	if (netns_of && conf.netns)
		opt_error("--netns-id and --pid-netns exclude each other");
	if (netns_of) {
		path = xasprintf("/proc/%u/ns/net", netns_of);
		if (stat(path, &st))
			die_err(errno, "cannot tell the network namespace of process %u", netns_of);
		conf.netns = st.st_ino;
		free(path);
	}
	conf.rx_sk = kernel_release() >= KERNEL_VERSION(6, 11, 0);
	conf.unspecified = 1;
	read_reasons();
}

static const struct applet tcpdrop = {
	.name = "tcpdrop",
	.summary = "trace TCP packets that the kernel drops",
	.doc = "Prints a line when the kernel drops a TCP packet or segment for a reason that it "
	       "names: from whom to whom, the state of the socket, the flags of the packet, the "
	       "reason, and the functions that led there. The source is the packet's: where a "
	       "received packet is dropped, the remote end. Of received packets the socket is "
	       "known since Linux 6.11.\n\n"
	       "Before Linux 5.17 there are no reasons, and only drops by tcp_drop() are seen.\n\n"
	       "Packets that are freed because they were dealt with cost nothing; every dropped "
	       "packet of any protocol is looked at.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.run = run_events,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(tcpdrop);
