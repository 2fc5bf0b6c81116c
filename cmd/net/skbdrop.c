#include <string.h>
#include <linux/version.h>

#define ROW struct skbdrop_row
#include "applet.h"
#include "clock.h"
#include "dropreason.h"
#include "kernel.h"
#include "out.h"
#include "skbdrop.h"
#include "snmp.h"

static struct skbdrop_conf conf;
static struct snmp before;
static u64 since;

static const struct opt options[] = {
	OPT_INTERVAL('i'), OPT_DURATION('d'), OPT_FOLDED('f'), OPT_OFFSET('s'), OPT_STACKS, { 0 },
};

static void reason_name(struct buf *b, const void *field, const void *row)
{
	u32 reason;

	(void)row;
	memcpy(&reason, field, sizeof(reason));
	if (conf.reasons)
		dropreason_name(b, reason);
}

static const struct column columns[] = {
	COL(key.kernel, "KERNEL", 0, "kernel frames, the innermost first", .as = AS_KSTACK),
	COL(key.reason, "REASON", 0, "why, as the kernel says it since 5.17", .name = reason_name),
	COL(count, "COUNT", 0, "how many were dropped"),
	{ 0 },
};

static const struct example examples[] = {
	{ "10", "what is dropped in ten seconds, and where" },
	{ "-i 1", "every second" },
	{ "-f 30", "for a flame graph" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "dropped buffers", { "dropped", "dropped_raw" } },
	{ 0 },
};

static void check(void)
{
	conf.reasons = kernel_release() >= KERNEL_VERSION(5, 17, 0);
}

static void attached(struct run *run)
{
	(void)run;
	snmp_read(&before);
	since = clock_mono();
}

/* What the network stack counted meanwhile. */
static void report(struct run *run)
{
	struct snmp now = {};
	u64 time = clock_mono();

	(void)run;
	if (out_mode != OUT_TEXT)
		return;
	snmp_read(&now);
	buf_str(&out, "\n#kernel\n");
	snmp_text(&out, &before, &now, time - since);
	buf_chr(&out, '\n');
	snmp_free(&before);
	before = now;
	since = time;
}

static void footer(struct buf *b, const struct column *cols, const void *row)
{
	struct skbdrop_row r;

	(void)cols;
	memcpy(&r, row, sizeof(r));
	if (conf.reasons) {
		buf_fmt(b, "    %-16s ", "-");
		dropreason_name(b, r.key.reason);
		buf_chr(b, '\n');
	}
	buf_fmt(b, "        %llu\n\n", r.count);
}

static const struct applet skbdrop = {
	.name = "skbdrop",
	.summary = "count dropped packets by kernel stack",
	.doc = "Counts the socket buffers (packets) that the kernel drops, by the stack that "
	       "dropped "
	       "them and the reason it gave. Before that, in text, come the counters of the "
	       "network "
	       "stack that moved meanwhile, as nstat(8) prints them: those of bcctool's own "
	       "network "
	       "namespace, while the drops are those of all. Not every drop is an error: a packet "
	       "that nobody listens for is dropped, too.\n\n"
	       "Costs a walk of the stack for every drop: these are few unless something is wrong.",
	.positionals = ARGS_DURATION,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	VALUE(count),
	.banner = "Tracing dropped packets... Hit Ctrl-C to end.",
	.check = check,
	.attached = attached,
	.report = report,
	.footer = footer,
	.sort = "count",
	.ascending = true,
	.untyped = true,
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(skbdrop);
