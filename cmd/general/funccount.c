#include <stdlib.h>
#include <string.h>

#define ROW struct funccount_row
#include "applet.h"
#include "funccount.h"
#include "ksyms.h"
#include "out.h"
#include "probe/attach.h"

#define PATTERNS 64

static struct funccount_conf conf;
static const char *patterns[PATTERNS];
static struct spec specs[PATTERNS];
static int npatterns, cpu = -1;
static bool regex, list;
static const bool counted = true;
static struct sites sites;
static struct attach attach;

static int take_pattern(const char *arg, void *dst, char why[128])
{
	(void)dst;
	if (npatterns == PATTERNS) {
		snprintf(why, 128, "too many patterns");
		return -1;
	}
	patterns[npatterns++] = arg;
	return 0;
}

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_INTERVAL('i'),
	OPT_DURATION('d'),
	OPT_TIMESTAMP('T'),
	OPT('r', "regexp", NULL, &regex, "take the pattern as a regular expression"),
	OPT('D', "debug", NULL, &list, "print what is probed before tracing"),
	OPT('c', "cpu", "CPU", &cpu, "count on this CPU only", .max = 8191),
	OPT_EXEC,
	{ 0 },
};

static const struct opt positionals[] = {
	OPT_PARSED(
		0, "pattern", NULL, take_pattern, NULL,
		"what to count: [p:]NAME or LIBRARY:NAME, t:CATEGORY:EVENT, u:LIBRARY:PROBE; * ? "
		"and [...] match",
		.needed = true, .many = true),
	{ 0 },
};

/* Sites of the object are numbers; their names are here. */
static void name_text(struct buf *b, const void *field, const void *row)
{
	const char *name = sites.at[*(const u32 *)field].name;

	(void)row;
	buf_safe(b, name, strlen(name));
}

static const struct column columns[] = {
	COL(func, "FUNC", -36, "function, tracepoint or USDT probe", .name = name_text),
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

static u32 only_pid(void)
{
	return common.filter.pids.n == 1 ? common.filter.pids.id[0] : 0;
}

static void parse(struct spec *spec, const char *pattern)
{
	struct spec_error err;
	struct buf b = {};

	if (!spec_parse(spec, pattern, regex, &err)) {
		if (!pattern[spec->end])
			return;
		err = (struct spec_error){ spec->end, "only a name is expected here" };
	}
	spec_caret(&b, pattern, &err);
	opt_error("%.*s", (int)b.len, b.data);
}

static void check(void)
{
	conf.cpu_plus_1 = cpu + 1;
	for (int i = 0; i < npatterns; i++)
		parse(&specs[i], patterns[i]);
}

static void resolve(const struct spec *spec, const char *pattern)
{
	struct spec_error err;
	struct buf b = {};

	if (!sites_add(&sites, spec, only_pid(), &err))
		return;
	spec_caret(&b, pattern, &err);
	die("%.*s", (int)b.len, b.data);
}

/* `bcctool check` comes here without a pattern. */
static void prepare(struct run *run)
{
	int err;

	if (!sites.n)
		for (int i = 0; i < npatterns; i++)
			resolve(&specs[i], patterns[i]);
	sites_unique(&sites);
	err = attach_plan(&attach, &sites, only_pid());
	if (err)
		die_err(err, "cannot attach");
	attach_choose(&attach, run->obj);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(run->obj, "counters"), sites.n ?: 1);
}

static void detach(struct run *run)
{
	run->lost[LOST_PROBE] += attach_missed(&attach);
	attach_stop(&attach);
}

static void attached(struct run *run)
{
	struct buf why = {};

	attach_take(&attach, run->obj);
	if (attach_start(&attach, &why))
		die("cannot attach: %.*s", (int)why.len, why.data);
	buf_free(&why);
	run->detach = detach;
	if (attach.attached < sites.n)
		warn("%u of %u were refused by the kernel: %s", sites.n - attach.attached, sites.n,
		     attach_error(attach.refused));
	if (common.verbose && sites.ambiguous + sites.forbidden)
		warn("left out: %u names that several functions have, %u that the kernel forbids "
		     "to "
		     "probe",
		     sites.ambiguous, sites.forbidden);
	for (u32 i = 0; list && i < sites.n; i++)
		fprintf(stderr, "%s\n", sites.at[i].name);
}

static void banner(struct buf *b)
{
	buf_fmt(b, "Tracing %u functions for \"%s%s\"... Hit Ctrl-C to end.\n", attach.attached,
		patterns[0], npatterns > 1 ? " ..." : "");
}

static const struct applet funccount = {
	.name = "funccount",
	.summary = "count calls of functions, tracepoints and USDT probes",
	.doc = "Counts what fires of everything that a pattern means. A call costs a fraction of a "
	       "microsecond, many functions are many calls: '*' slows a machine down to a half or "
	       "less.\n\n"
	       "Functions that the compiler inlined are not seen, nor are those that the kernel "
	       "keeps tracing away from. Several functions of one name are left out of patterns.",
	.positionals = positionals,
	.options = options,
	.columns = columns,
	.examples = examples,
	CONF(conf),
	VALUE(count),
	.check = check,
	.prepare = prepare,
	.attached = attached,
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
		ksyms_address(ks, sites.at[*(const u32 *)field].name, NULL, &address);
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
	COL(func, "FUNC", -26, "function", .name = name_text),
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
	patterns[npatterns++] = "vfs_*";
	check();
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
	.banner = "Tracing... Ctrl-C to end.",
	CONF(conf),
	VALUE(count),
	.check = vfs_check,
	.prepare = prepare,
	.attached = attached,
	.sort = "count",
	.ascending = true,
	.counted = &counted,
	.keep_caps = KEEP_SYMBOLS,
	.run = run_table,
};

APPLET(vfscount);
