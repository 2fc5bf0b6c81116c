#include <string.h>

#define ROW struct numamove_row
#include "applet.h"
#include "numamove.h"
#include "stat.h"

/* In the order of enum numamove_counter. */
struct numamove_row {
	struct bcc_interval interval;
	u64 migrations, time_ns;
};

static const struct column columns[] = {
	COL(interval.time, "TIME", -10, "end of the interval", .as = AS_TIME),
	COL(migrations, "NUMA_migrations", 18, "attempts to move a page to the node of its user"),
	COL(time_ns, "NUMA_migrations_ms", 18, "time that they took, all together", .as = AS_MS),
	COL_DATA(interval.interval_ns, "length of the interval"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "moves of pages between NUMA nodes, every second" },
	{ "10 6", "six lines, each over ten seconds" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "moves of misplaced pages",
	  { "folio_begin folio_end", "page_begin page_end", "folio_begin_probe folio_end_probe",
	    "page_begin_probe page_end_probe" } },
	{ 0 },
};

static const struct applet numamove = {
	.name = "numamove",
	.summary = "count pages that NUMA balancing moves",
	.doc = "Counts the pages, and since 6.7 the folios, that the kernel moves to the NUMA node "
	       "where they are used, and the time that this takes; the task that uses them waits. "
	       "Attempts that fail count, too. There are none unless kernel.numa_balancing is "
	       "on.\n\n"
	       "Costs little next to the moves.",
	.positionals = ARGS_EVERY_SECOND,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.run = run_stat,
};

APPLET(numamove);
