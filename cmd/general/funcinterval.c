#define ROW struct funcinterval_row
#include "applet.h"
#include "funcinterval.h"
#include "probe/probed.h"

static struct funcinterval_conf conf;

static const struct opt options[] = {
	OPT_PID('p'), OPT_INTERVAL('i'), OPT_DURATION('d'), OPT_TIMESTAMP('T'), OPT_UNITS, OPT_EXEC,
	{ 0 },
};

static const struct example examples[] = {
	{ "do_nanosleep", "how far apart calls of do_nanosleep() are" },
	{ "-u vfs_read", "those of vfs_read(), in microseconds" },
	{ "-m -i 2 -d 10 t:vmscan:mm_vmscan_direct_reclaim_begin",
	  "a tracepoint, every two seconds for ten" },
	{ "-p 181 c:malloc", "malloc() of libc in process 181" },
	{ 0 },
};

static void check(void)
{
	probed_check_unit();
	conf.unit_ns = probed_unit.ns;
	probed_check();
}

static void prepare(struct run *run)
{
	probed_prepare(run);
	for (u32 i = 1; i < probed.sites.n; i++)
		if (probed.sites.at[i].number != probed.sites.at[0].number)
			die("one function is expected, '%s' means several: %s, %s%s",
			    probed.pattern[0], probed.sites.at[0].name, probed.sites.at[i].name,
			    i + 1 < probed.sites.n ? ", ..." : "");
}

static void banner(struct buf *b)
{
	buf_str(b, "Tracing ");
	probed_title(b);
	buf_str(b, "... Hit Ctrl-C to end.\n");
}

static const struct applet funcinterval = {
	.name = "funcinterval",
	.summary = "show the time between calls of a function as a histogram",
	.doc = "Measures the time from each call of a function, or hit of a tracepoint or USDT "
	       "probe, to the next, whichever thread or CPU it comes from; with -p, among the "
	       "calls of that process.\n\n"
	       "A call costs a fraction of a microsecond, of a user function some microseconds.",
	.options = options,
	.positionals = ARGS_PATTERN,
	.examples = examples,
	.untyped = true,
	CONF(conf),
	VALUE(hist),
	.unit = { "nsecs", .named = &probed_unit.name },
	.check = check,
	.prepare = prepare,
	.attached = probed_attached,
	.banner_text = banner,
	.run = run_hist,
};

APPLET(funcinterval);
