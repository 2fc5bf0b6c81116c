#include <string.h>

#define ROW struct biolatency_row
#include "applet.h"
#include "biolatency.h"

static struct biolatency_conf conf;
static bool extension;

static const char *const operations[] = {
	[0] = "Read",      [1] = "Write",       [2] = "Flush",
	[3] = "Discard",   [5] = "SecureErase", [9] = "WriteZeros",
	[10] = "ZoneOpen", [11] = "ZoneClose",  [12] = "ZoneFinish",
};

/* include/linux/blk_types.h: bits of request.cmd_flags. Each word stands before those above it. */
static const struct {
	u32 flag;
	const char *name;
} words[] = {
	{ 1 << 11, "Sync" },      { 1 << 12, "Metadata" },   { 1 << 17, "ForcedUnitAccess" },
	{ 1 << 13, "Priority" },  { 1 << 14, "NoMerge" },    { 1 << 15, "Idle" },
	{ 1 << 19, "ReadAhead" }, { 1 << 20, "Background" }, { 1 << 21, "NoWait" },
};

static void flags_name(struct buf *b, const void *field, const void *row)
{
	const char *name;
	u32 flags;

	(void)row;
	memcpy(&flags, field, sizeof(flags));
	if (!conf.by_flags) /* JSON has the member all the same */
		return;
	for (int i = ARRAY_SIZE(words) - 1; i >= 0; i--)
		if (flags & words[i].flag)
			buf_fmt(b, "%s-", words[i].name);
	flags &= 0xff;
	name = flags < ARRAY_SIZE(operations) ? operations[flags] : NULL;
	buf_str(b, name ?: "Unknown");
}

static const struct opt options[] = {
	OPT_TIMESTAMP('T'),
	OPT('Q', "queued", NULL, &conf.queued, "count the time queued in the kernel too"),
	OPT('m', "milliseconds", NULL, &conf.ms, "count milliseconds, not microseconds"),
	OPT('D', "disks", NULL, &conf.by_disk, "print a histogram per disk"),
	OPT('F', "flags", NULL, &conf.by_flags, "print a histogram per set of I/O flags"),
	OPT('e', "extension", NULL, &extension, "print the average, the total and the count"),
	OPT('j', "json", NULL, &common.json, "print JSON, one object a line"),
	OPT_DISK('d', &conf.disk),
	OPT_CGROUP('c'),
	{ 0 },
};

static const struct column columns[] = {
	COL(key.disk, "disk", 0, "disk, with -D", .show = &conf.by_disk),
	COL(key.flags, "flags", 0, "operation and flags, with -F", .show = &conf.by_flags,
	    .name = flags_name),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "latency of block I/O until Ctrl-C" },
	{ "1 10", "ten reports, one a second" },
	{ "-mT 1", "milliseconds, every second, with the time" },
	{ "-Q", "the time queued in the kernel included" },
	{ "-D", "a histogram for each disk" },
	{ "-F", "a histogram for each set of flags" },
	{ "-e -d sda", "average and total of one disk" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "making of requests until their end",
	  { "made done", "made_raw done_raw", "done_made", "done_made_raw" },
	  .wanted = &conf.queued },
	{ "issue of requests to drivers", { "issued", "issued_raw" }, .unless = &conf.queued },
	{ "end of requests", { "done", "done_raw" }, .unless = &conf.queued },
	{ "submitters of requests",
	  { "made_by", "made_by_raw", "made_of merge?", "made_of_raw merge_raw?" },
	  .wanted = &common.filter.particular },
	{ 0 },
};

static void check(void)
{
	if (conf.by_disk && conf.by_flags)
		opt_error("-D and -F exclude each other");
	conf.flags = 0xff;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		conf.flags |= words[i].flag;
}

static void prepare(struct run *run)
{
	if (!common.filter.particular)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(run->obj, "submitters"),
					 1); /* not used */
}

static void average(struct buf *b, const struct rows *rows)
{
	const char *unit = conf.ms ? "msecs" : "usecs";
	u64 sum = 0, n = 0;

	for (size_t i = 0; extension && i < rows->n; i++) {
		struct bcc_hist h;

		memcpy(&h, rows_at(rows, i) + rows->value, sizeof(h));
		sum += h.sum;
		for (int slot = 0; slot < HIST_SLOTS; slot++)
			n += h.slots[slot];
	}
	if (n)
		buf_fmt(b, "\navg = %llu %s, total: %llu %s, count: %llu\n\n", sum / n, unit, sum,
			unit, n);
}

static const struct applet biolatency = {
	.name = "biolatency",
	.summary = "show the latency of block I/O as a histogram",
	.doc = "Measures how long the requests of disks take, from their issue to the driver to "
	       "their end, or with -Q from when they are made. The flushes that go with writes are "
	       "requests of their own, but with -Q part of what they go with. Disks that pass "
	       "their I/O on to others (device mapper, md) have no requests: it is those of the "
	       "disks below that count.\n\n"
	       "Costs little unless there are many thousands of requests a second.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.prepare = prepare,
	.banner = "Tracing block device I/O... Hit Ctrl-C to end.",
	VALUE(hist),
	.unit = { "usecs", "msecs", &conf.ms },
	.total = average,
	.run = run_hist,
};

APPLET(biolatency);
