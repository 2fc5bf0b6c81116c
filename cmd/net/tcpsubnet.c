#include <errno.h>
#include <string.h>
#include <time.h>

#define ROW struct tcpsubnet_row
#include "applet.h"
#include "clock.h"
#include "out.h"
#include "tcpsubnet.h"

static struct tcpsubnet_conf conf;
static const char *names[SUBNETS];
static const char *format = "B";

/* "10.0.0.0/8", "fd00::/8", an address alone: as `addr` and `mask` of 128 bits. */
static bool parse_subnet(const char *text, size_t len, struct tcpsubnet_net *net)
{
	char addr[64];
	const char *slash = memchr(text, '/', len);
	size_t n = slash ? (size_t)(slash - text) : len;
	u64 bits, whole;

	if (n >= sizeof(addr) || len - n >= 8)
		return false;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (!flow_parse_ip(addr, (u8 *)net->addr))
		return false;
	whole = strchr(addr, ':') ? 128 : 32;
	bits = whole;
	if (slash) {
		memcpy(addr, slash + 1, len - n - 1);
		addr[len - n - 1] = '\0';
		if (!parse_u64(addr, whole, &bits))
			return false;
	}
	bits += 128 - whole;
	for (u64 i = 0; i < 128; i++)
		if (i < bits)
			((u8 *)net->mask)[i / 8] |= 0x80 >> i % 8;
	for (int i = 0; i < 4; i++)
		net->addr[i] &= net->mask[i];
	return true;
}

static int parse_subnets(const char *arg, void *dst, char why[128])
{
	size_t len;

	(void)dst;
	conf = (struct tcpsubnet_conf){};
	for (const char *p = arg;; p += len + 1) {
		len = strcspn(p, ",");
		if (conf.n == SUBNETS) {
			snprintf(why, 128, "more than %d subnets", SUBNETS);
			return -EINVAL;
		}
		if (!parse_subnet(p, len, &conf.net[conf.n])) {
			snprintf(why, 128, "not a list of subnets as 10.0.0.0/8,fd00::/8");
			return -EINVAL;
		}
		names[conf.n++] = xasprintf("%.*s", (int)len, p);
		if (!p[len])
			return 0;
	}
}

static int parse_format(const char *arg, void *dst, char why[128])
{
	if (strlen(arg) == 1 && strchr("bkmBKM", *arg)) {
		*(const char **)dst = arg;
		return 0;
	}
	snprintf(why, 128, "not one of b, k, m, B, K, M");
	return -EINVAL;
}

static const struct opt options[] = {
	OPT_PARSED('f', "format", "UNIT", parse_format, &format,
		   "print bits: b, k (of 1024), m, or bytes: B (default), K, M"),
	OPT_INTERVAL('i'),
	OPT('J', "json", NULL, &common.json, "print a JSON object per report"),
	OPT_PID('p'),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT_PARSED(0, "subnets", NULL, parse_subnets, NULL,
		   "subnets, comma between; bytes count under the first that matches (default "
		   "127.0.0.1/32, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and 0.0.0.0/0)"),
	{ 0 },
};

static void subnet(struct buf *b, const void *net, const void *row)
{
	u32 i;

	(void)row;
	memcpy(&i, net, sizeof(i));
	buf_str(b, i < conf.n ? names[i] : "?");
}

static u64 in_unit(u64 bytes)
{
	switch (*format) {
	case 'b': return bytes * 8;
	case 'k': return bytes * 8 / 1024;
	case 'm': return bytes * 8 / 1024 / 1024;
	case 'K': return bytes / 1024;
	case 'M': return bytes / 1024 / 1024;
	default: return bytes;
	}
}

static void amount(struct buf *b, const void *bytes, const void *row)
{
	u64 v;

	(void)row;
	memcpy(&v, bytes, sizeof(v));
	buf_u64(b, in_unit(v));
}

static const struct column columns[] = {
	COL(net, "SUBNET", -21, "subnet of the remote address, as it was given", .name = subnet),
	COL(bytes, "VALUE", 6, "sent, in the unit of -f; in CSV in bytes", .text = amount),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "bytes sent to the usual private networks and to others, every second" },
	{ "-f K -i 5", "kilobytes, every five seconds" },
	{ "-J", "a JSON object per report" },
	{ "10.80.0.0/24,fd00::/8,::/0", "by subnets of one's own, IPv4 and IPv6" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "sends",
	  { "sending sent sending_page? sent_page?",
	    "send_enter send_leave sendpage_enter? sendpage_leave?" } },
	{ 0 },
};

static void check(void)
{
	char why[128];

	if (!conf.n)
		parse_subnets("127.0.0.1/32,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,0.0.0.0/0",
			      NULL, why);
	common.interval = common.interval ?: 1;
}

static void date(struct buf *b, u64 now, const char *format)
{
	time_t seconds = clock_wall(now) / NSEC_PER_SEC;
	struct tm tm;
	char text[64];

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), format, &tm);
	buf_str(b, text);
}

static void report(struct run *run)
{
	(void)run; /* print_rows() has the time */
}

static void print_text(const struct rows *rows, u64 now)
{
	date(&out, now, "[%m/%d/%y %H:%M:%S]\n");
	for (size_t i = 0; i < rows->n; i++)
		cols_row(&out, columns, rows_at(rows, i), rows->size, 0);
}

static void print_json(const struct rows *rows, u64 now)
{
	date(&out, now, "{\"date\":\"%m/%d/%y\",\"time\":\"%H:%M:%S\",\"entries\":{");
	for (size_t i = 0; i < rows->n; i++) {
		struct tcpsubnet_row row;

		memcpy(&row, rows_at(rows, i), sizeof(row));
		buf_fmt(&out, "%s\"%s\":%llu", i ? "," : "", names[row.net], in_unit(row.bytes));
	}
	buf_str(&out, "}}\n");
}

static void print_rows(struct run *run, const struct rows *rows, u64 now)
{
	(void)run;
	if (out_mode == OUT_TEXT)
		print_text(rows, now);
	else if (out_mode == OUT_JSON)
		print_json(rows, now);
	for (size_t i = 0; out_mode == OUT_CSV && i < rows->n; i++)
		cols_row(&out, columns, rows_at(rows, i), rows->size, now);
	out_row();
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing... Output every %d secs. Hit Ctrl-C to end\n", common.interval);
}

static const struct applet tcpsubnet = {
	.name = "tcpsubnet",
	.summary = "sum up the bytes sent by TCP per subnet",
	.doc = "Counts the bytes that processes send on TCP sockets, as the calls return them, by "
	       "the first of the subnets that the remote address is in. Remote addresses in none "
	       "of them are not counted.\n\n"
	       "Traces every send: expect a few percent on a busy machine.",
	.options = options,
	.positionals = positionals,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	VALUE(bytes),
	.sort = "bytes",
	.check = check,
	.banner_text = banner,
	.report = report,
	.print_rows = print_rows,
	.run = run_table,
};

APPLET(tcpsubnet);
