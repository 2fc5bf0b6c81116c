#include <string.h>

#define ROW struct smpcalls_row
#include "applet.h"
#include "ksyms.h"
#include "smpcalls.h"

static void function_name(struct buf *b, const void *field, const void *row)
{
	static struct ksyms *kernel;
	struct sym sym;
	struct buf name = {};
	u64 addr;

	(void)row;
	memcpy(&addr, field, sizeof(addr));
	kernel = kernel ?: ksyms_new(NULL);
	if (kernel && !ksyms_find(kernel, addr, &sym)) {
		sym_text(&name, &sym, false);
		buf_safe(b, name.data, name.len);
		buf_free(&name);
	} else {
		buf_hex(b, addr);
	}
}

static const struct opt options[] = {
	OPT_TIMESTAMP('T'),
	OPT_PID('p'),
	{ 0 },
};

static const struct column columns[] = {
	COL(function, "function", 0,
	    "function that other CPUs are asked to call; a wake-up of another CPU's scheduler "
	    "is under the function that sends it",
	    .name = function_name),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "time of calls to other CPUs until Ctrl-C" },
	{ "1 10", "ten reports, one a second" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "calls on one CPU", { "single single_done", "single_kprobe single_kretprobe" } },
	{ "calls on several CPUs",
	  { "many many_done", "many_kprobe many_kretprobe", "many_old many_old_done",
	    "many_old_kprobe many_old_kretprobe" } },
	{ "reschedules", { "reschedule reschedule_done" }, "reschedules of other CPUs" },
	{ 0 },
};

static const struct applet smpcalls = {
	.name = "smpcalls",
	.summary = "show the time spent in calls to other CPUs",
	.doc = "Measures how long a CPU takes to have others call a function of the kernel, by "
	       "that function: flushes of their TLBs, membarrier(2), reads of their counters. "
	       "Where the caller waits, the time is until the last of them is done.\n\n"
	       "Costs a fraction of a microsecond a call: noticeable only where wake-ups of "
	       "other CPUs number hundreds of thousands a second.",
	.positionals = ARGS_INTERVAL_COUNT,
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.banner = "Tracing SMP calls. Hit Ctrl-C to stop.",
	VALUE(hist),
	.unit = { "nsecs" },
	.run = run_hist,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(smpcalls);
