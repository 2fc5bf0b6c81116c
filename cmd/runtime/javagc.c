#include <string.h>

#define ROW struct javagc_event
#include "applet.h"
#include "javagc.h"
#include "object.h"
#include "probe/probed.h"

static struct javagc_conf conf;
static bool ms;
static const char *filter;

static const struct opt options[] = {
	OPT('m', "milliseconds", NULL, &ms, "print milliseconds, not microseconds"),
	OPT('M', "minimum", "MS", &conf.min_ns, "print collections of MS milliseconds or longer",
	    .scale = 1000000),
	OPT('F', "filter", "TEXT", &filter, "print those whose description contains TEXT"),
	OPT_LIST_PROBES(0),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT(0, "pid", NULL, &common.filter.pids, "the Java process", .needed = true),
	{ 0 },
};

static void describe(struct buf *b, const void *field, const void *row)
{
	const ROW *e = row;

	(void)field;
	if (!e->is_pool) {
		buf_str(b, "collection");
		return;
	}
	buf_safe(b, e->manager, strnlen(e->manager, sizeof(e->manager)));
	buf_chr(b, ' ');
	buf_safe(b, e->pool, strnlen(e->pool, sizeof(e->pool)));
	buf_fmt(b, " used=%lld->%lld max=%lld->%lld", e->used_before, e->used, e->max_before,
		e->max);
}

static void duration(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_fmt(b, "%.2f", *(const u64 *)field / (ms ? 1e6 : 1e3));
}

static bool us = true;

static const struct column columns[] = {
	COL(task.time, "START", -8, "when it began, in seconds since tracing began",
	    .as = AS_ELAPSED, .digits = 3),
	COL(dur_ns, "TIME (us)", -10, "how long it took", .text = duration, .show = &us),
	COL(dur_ns, "TIME (ms)", -10, "the same, with -m", .text = duration, .show = &ms,
	    .no_data = true),
	COL(is_pool, "DESCRIPTION", 0,
	    "1: the manager, a pool of memory and its bytes before and after; 0: the whole "
	    "collection, in which those of pools are",
	    .text = describe),
	COL_DATA(manager, "what collects: Copy, G1 Young Generation, ..."),
	COL_DATA(pool, "the pool"),
	COL_DATA(used_before, "bytes that were in use in the pool"),
	COL_DATA(used, "bytes that still are"),
	COL_DATA(max_before, "bytes that it could grow to; -1: no limit"),
	COL_DATA(max, "the same, afterwards"),
	COL_DATA(task.pid, "process ID"),
	COL_DATA(task.tid, "thread that collects"),
	{ 0 },
};

static const struct example examples[] = {
	{ "181", "collections of garbage in the Java process 181" },
	{ "-m -M 10 181", "those of ten milliseconds or longer, in milliseconds" },
	{ "-F Old 181", "of pools with Old in their name" },
	{ 0 },
};

static const char *const probes[] = {
	[GC_BEGIN] = "hotspot:gc__begin",
	[GC_END] = "hotspot:gc__end",
	[POOL_BEGIN] = "hotspot:mem__pool__gc__begin",
	[POOL_END] = "hotspot:mem__pool__gc__end",
};

static void check(void)
{
	us = !ms;
	for (u32 i = 0; i < ARRAY_SIZE(probes) && common.filter.pids.n; i++)
		probed_add(xasprintf("u:jvm:%s", probes[i]));
	if (common.filter.pids.n > 1)
		opt_error("one process at a time");
	probed_check();
}

static struct usdtarg place_of(const struct site_arg *arg, const char *probe)
{
	const struct operand *o = &arg->at;

	if (arg->why || o->scale || o->symbol || o->shift)
		die("%s: this JVM has its arguments where they cannot be read", probe);
	return (struct usdtarg){ .value = o->value,
				 .base = o->kind == OPERAND_CONSTANT ? -1 : o->base,
				 .memory = o->kind == OPERAND_MEMORY,
				 .discard = 64 - 8 * o->size };
}

static void prepare(struct run *run)
{
	probed_prepare(run);
	for (u32 i = 0; i < probed.sites.n; i++) {
		const struct site *s = &probed.sites.at[i];
		u32 what = 0;

		if (s->number >= JAVAGC_SITES)
			die("this JVM has too many probes");
		while (what < ARRAY_SIZE(probes) - 1 && strcmp(s->name, probes[what]))
			what++;
		conf.site[s->number].what = what;
		for (u32 a = 0; a < GC_ARGS; a++) {
			struct usdtarg *arg = &conf.site[s->number].arg[a];

			arg->base = -1; /* 0 */
			if (what >= POOL_BEGIN && a < s->args->n)
				*arg = place_of(&s->args->arg[a], s->name);
		}
	}
	object_set(run->obj, "conf", &conf, sizeof(conf));
}

static const void *event(struct run *run, const void *data, size_t *size)
{
	struct buf text = {};
	bool is;

	(void)run;
	(void)size;
	if (!filter)
		return data;
	describe(&text, NULL, data);
	is = memmem(text.data, text.len, filter, strlen(filter));
	buf_free(&text);
	return is ? data : NULL;
}

static const struct applet javagc = {
	.name = "javagc",
	.summary = "trace collections of garbage in a Java process",
	.doc = "Prints a line for each collection of garbage of a JVM with HotSpot's USDT probes, "
	       "and one for each pool of memory that it collects, which say what was in use before "
	       "and after. Some collectors work beside the program: the time of their pools is not "
	       "that of a pause.\n\n"
	       "Costs nothing but a few microseconds a collection.",
	.options = options,
	.positionals = positionals,
	.columns = columns,
	.examples = examples,
	.untyped = true,
	CONF(conf),
	.check = check,
	.prepare = prepare,
	.attached = probed_attached,
	.event = event,
	.run = run_events,
};

APPLET(javagc);
