#define ROW struct funccount_row
#include "applet.h"
#include "funccount.h"
#include "ksyms.h"
#include "probe/probed.h"

static struct funccount_conf conf;
static int cpu = -1;
static const bool counted = true;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_INTERVAL('i'),
	OPT_DURATION('d'),
	OPT_TIMESTAMP('T'),
	OPT_REGEXP('r'),
	OPT_LIST_PROBES('D'),
	OPT('c', "cpu", "CPU", &cpu, "count on this CPU only", .max = 8191),
	OPT_EXEC,
	{ 0 },
};

static const struct column columns[] = {
	COL(func, "FUNC", -36, "function, tracepoint or USDT probe", .name = probed_name),
	COL(count, "COUNT", 8, "how many times it was called"),
	{ 0 },
};

static const struct example examples[] = {
	{ "'tcp_*'", "calls of the kernel's functions that begin with tcp_" },
	{ "-i 1 'vfs_*'", "the same of vfs_, every second" },
	{ "-r '^vfs_(read|write)$'", "by a regular expression" },
	{ "-p 181 c:malloc", "calls of malloc() in libc by process 181" },
	{ "-i 1 't:block:*'", "tracepoints of block I/O, every second" },
	{ "u:pthread:mutex_acquired", "a USDT probe of a library" },
	{ 0 },
};

static void check(void)
{
	conf.cpu_plus_1 = cpu + 1;
	probed_check();
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing %u functions for ", probed.attach.attached);
	probed_title(b);
	buf_str(b, "... Hit Ctrl-C to end.\n");
}

static const struct applet funccount = {
	.name = "funccount",
	.summary = "count calls of functions, tracepoints and USDT probes",
	.doc = "Counts what fires of everything that a pattern means. A call costs a fraction of a "
	       "microsecond, many functions are many calls: '*' slows a machine down to a half or "
	       "less.\n\n"
	       "Functions that the compiler inlined are not seen, nor are those that the kernel "
	       "keeps tracing away from. Several functions of one name are left out of patterns.",
	.positionals = ARGS_PATTERNS,
	.options = options,
	.columns = columns,
	.examples = examples,
	.untyped = true,
	CONF(conf),
	VALUE(count),
	.check = check,
	.prepare = probed_prepare,
	.attached = probed_attached,
	.banner_text = banner,
	.sort = "count",
	.ascending = true,
	.counted = &counted,
	.run = run_table,
};

APPLET(funccount);

/* vfscount: one pattern, and where the functions are. */

static void address_text(struct buf *b, const void *field, const void *row)
{
	static struct ksyms *ks;
	u64 address = 0;

	(void)row;
	ks = ks ?: ksyms_new(NULL);
	if (ks)
		ksyms_address(ks, probed.sites.at[*(const u32 *)field].name, NULL, &address);
	buf_fmt(b, "%llx", address);
}

static const struct column vfs_columns[] = {
	{ .key = "addr",
	  .head = "ADDR",
	  .width = -16,
	  .help = "address of the function",
	  .type = COL_UNSIGNED,
	  .offset = offsetof(ROW, func),
	  .size = sizeof(u32),
	  .name = address_text },
	COL(func, "FUNC", -26, "function", .name = probed_name),
	COL(count, "COUNT", 8, "how many times it was called"),
	{ 0 },
};

static const struct opt vfs_options[] = { OPT_PID('p'), { 0 } };

static const struct example vfs_examples[] = {
	{ "", "calls of the VFS, until Ctrl-C" },
	{ "5", "those of five seconds" },
	{ 0 },
};

static void vfs_check(void)
{
	probed_add("vfs_*");
	probed_check();
}

static const struct applet vfscount = {
	.name = "vfscount",
	.summary = "count calls of the VFS's functions",
	.doc = "Counts calls of all kernel functions whose names begin with vfs_, the interface of "
	       "file systems. These are frequent: expect a fraction of a microsecond each.",
	.object = "funccount",
	.positionals = ARGS_DURATION,
	.options = vfs_options,
	.columns = vfs_columns,
	.examples = vfs_examples,
	.untyped = true,
	.banner = "Tracing... Ctrl-C to end.",
	CONF(conf),
	VALUE(count),
	.check = vfs_check,
	.prepare = probed_prepare,
	.attached = probed_attached,
	.sort = "count",
	.ascending = true,
	.counted = &counted,
	.keep_caps = KEEP_SYMBOLS,
	.run = run_table,
};

APPLET(vfscount);
