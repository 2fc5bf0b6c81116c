#include <errno.h>
#include <string.h>

#define ROW struct tcprtt_row
#include "applet.h"
#include "flowcols.h"
#include "tcprtt.h"

static struct tcprtt_conf conf;
static bool average, whole;

static int parse_address(const char *arg, void *dst, char why[128])
{
	if (flow_parse_ip(arg, dst))
		return 0;
	snprintf(why, 128, "not an address of IPv4 or IPv6");
	return -EINVAL;
}

static const struct opt options[] = {
	OPT_INTERVAL('i'),
	OPT_DURATION('d'),
	OPT_TIMESTAMP('T'),
	OPT('m', "milliseconds", NULL, &conf.ms, "count milliseconds, not microseconds"),
	OPT_LPORTS('p', "lport", conf.flow),
	OPT_RPORTS('P', "rport", conf.flow),
	OPT_PARSED('a', "laddr", "ADDRESS", parse_address, conf.laddr,
		   "trace this local address only"),
	OPT_PARSED('A', "raddr", "ADDRESS", parse_address, conf.raddr,
		   "trace this remote address only"),
	OPT('b', "byladdr", NULL, &conf.by_laddr, "print a histogram per local address"),
	OPT('B', "byraddr", NULL, &conf.by_raddr, "print a histogram per remote address"),
	OPT('e', "extension", NULL, &average, "print the average too"),
	OPT_FAMILIES(conf.flow),
	OPT('D', "debug", NULL, &common.verbose, "the same as --verbose"),
	{ 0 },
};

static void label(struct buf *b, const void *addr, const void *row)
{
	struct bcc_hist h;
	u64 n = 0;

	if (whole)
		buf_str(b, "*******");
	else
		flow_ip(b, addr);
	if (!average)
		return;
	memcpy(&h, (const char *)row + offsetof(struct tcprtt_row, hist), sizeof(h));
	for (int i = 0; i < HIST_SLOTS; i++)
		n += h.slots[i];
	buf_fmt(b, " [AVG %llu]", h.sum / (n ?: 1));
}

static const struct column columns[] = {
	COL(key.addr, "Local Address", 0,
	    "address that the histogram is of, with -b the local one, with -B the remote one; :: "
	    "is all",
	    .as = AS_IP, .text = label, .show = &conf.by_laddr),
	COL(key.addr, "Remote Address", 0, "", .text = label, .show = &conf.by_raddr,
	    .no_data = true),
	COL(key.addr, "All Addresses", 0, "", .text = label, .show = &whole, .no_data = true),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "round-trip times until Ctrl-C" },
	{ "-i 1 -d 10", "every second, for ten seconds" },
	{ "-m -T", "in milliseconds, with the time" },
	{ "-P 80,443", "of connections to these ports" },
	{ "-a 192.168.122.200 -p 80", "of those at this address and port of ours" },
	{ "-B -e", "a histogram per remote address, with the average" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "received segments", { "received", "received_kprobe" } },
	{ 0 },
};

static void check(void)
{
	static const struct tcprtt_conf nothing;
	struct tcprtt_conf asked = conf;

	asked.ms = false;
	conf.particular = memcmp(&asked, &nothing, sizeof(asked));
	flow_check(&conf.flow);
	if (conf.by_laddr && conf.by_raddr)
		opt_error("--byladdr and --byraddr exclude each other");
	whole = !conf.by_laddr && !conf.by_raddr;
}

static const struct applet tcprtt = {
	.name = "tcprtt",
	.summary = "show TCP round-trip times as histograms",
	.doc = "Takes the smoothed round-trip time that TCP keeps of a connection each time that "
	       "a segment arrives on it, from its establishment on. Busy connections so weigh "
	       "more than idle ones.\n\n"
	       "Traces every segment that arrives: expect a few percent on a busy machine.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.banner = "Tracing TCP RTT... Hit Ctrl-C to end.",
	VALUE(hist),
	.unit = { "usecs", "msecs", &conf.ms },
	.run = run_hist,
};

APPLET(tcprtt);
