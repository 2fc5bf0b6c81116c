#include <string.h>
#include <unistd.h>

#define ROW struct drsnoop_event
#include "applet.h"
#include "drsnoop.h"
#include "kdata.h"

static struct drsnoop_conf conf;
static bool free_memory, memcg, by_thread, by_process = true;

static const struct opt options[] = {
	OPT_TIMESTAMP('T'),
	OPT_PRINT_UID('U'),
	OPT_PID('p'),
	OPT_TID('t'),
	OPT_UID('u'),
	OPT_DURATION('d'),
	OPT_NAME('n'),
	OPT('v', "verbose", NULL, &free_memory, "print the memory that was free at the start"),
	OPT('e', "extended", NULL, &free_memory, "the same as -v"),
	OPT(0, "memcg", NULL, &memcg,
	    "trace control groups that reclaim since they reached their limit, too"),
	{ 0 },
};

static void free_kb(struct buf *b, const void *field, const void *row)
{
	u64 pages;

	(void)row;
	memcpy(&pages, field, sizeof(pages));
	buf_u64(b, pages * (sysconf(_SC_PAGESIZE) / 1024));
}

static const struct column columns[] = {
	COL(task.time, "TIME(s)", -13, "time in seconds since tracing began; with -T",
	    .as = AS_ELAPSED, .digits = 9, .show = &common.timestamp),
	COL(task.uid, "UID", -5, "user ID; with -U", .show = &common.print_uid),
	COL(task.comm, "COMM", -14, "thread name"),
	COL(task.pid, "PID", -6, "process ID", .show = &by_process),
	COL(task.tid, "TID", -6, "thread ID; with -t", .show = &by_thread),
	COL(lat_ns, "LAT(ms)", 8, "time that the task spent on it", .as = AS_MS, .digits = 2),
	COL(pages, "PAGES", 5, "pages that it freed"),
	COL(free_pages, "FREE(KB)", 10,
	    "memory that was free at the start; with -v; JSON and CSV have pages", .text = free_kb,
	    .show = &free_memory),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "all direct reclaims" },
	{ "-T -v", "with the time, and how much was free" },
	{ "-p 181", "those of process 181" },
	{ "-UTn mysqld -d 10", "ten seconds of those whose name contains mysqld" },
	{ "--memcg", "reclaims within the limits of control groups, too" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "direct reclaims", { "direct_begin direct_end", "direct_begin_raw direct_end_raw" } },
	{ "reclaims of control groups",
	  { "memcg_begin memcg_end", "memcg_begin_raw memcg_end_raw" },
	  .wanted = &memcg },
	{ 0 },
};

static void check(void)
{
	int err;

	by_thread = common.filter.tids.n;
	by_process = !by_thread;
	if (!free_memory)
		return;
	err = kdata_address("vm_zone_stat", &conf.free_pages);
	if (err)
		die_err(err, "-v: cannot find vm_zone_stat in /proc/kallsyms");
}

static const struct applet drsnoop = {
	.name = "drsnoop",
	.summary = "trace direct reclaims of memory",
	.doc = "Prints a line when a task that was to be given memory had to free some itself "
	       "first, "
	       "and how long that kept it: memory is short, and kswapd is late.\n\n"
	       "Costs nothing while there is memory.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.run = run_events,
};

APPLET(drsnoop);
