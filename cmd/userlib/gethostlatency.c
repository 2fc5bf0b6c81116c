#define ROW struct gethostlatency_event
#include "applet.h"
#include "gethostlatency.h"
#include "probe/probed.h"

static const char *libc = "c";

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('l', "libc", "LIBRARY", &libc,
	    "trace this libc: a path (default: that of -p, or ours)"),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -9, "time of the return", .as = AS_TIME),
	COL(task.pid, "PID", -7, "process ID"),
	COL_DATA(task.tid, "thread ID"),
	COL_DATA(task.uid, "user ID"),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(lat_ns, "LATms", 10, "time in the call", .as = AS_MS, .digits = 3),
	COL(host, "HOST", 0, "name or address that was looked up"),
	COL_DATA(func, "function: getaddrinfo, gethostbyname or gethostbyname2",
		 .name = probed_name),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "look-ups of hosts by all programs that use libc" },
	{ "-p 181", "by process 181" },
	{ "-l /srv/root/lib/ld-musl-x86_64.so.1", "by programs that use another libc" },
	{ 0 },
};

static void check(void)
{
	static const char *const functions[] = { "getaddrinfo", "gethostbyname", "gethostbyname2" };

	for (u32 i = 0; i < ARRAY_SIZE(functions); i++)
		probed_add(xasprintf("%s:%s", libc, functions[i]));
	probed_check_calls();
}

static const struct applet gethostlatency = {
	.name = "gethostlatency",
	.summary = "trace the latency of looking up hosts",
	.doc = "Prints a line when getaddrinfo(), gethostbyname() or gethostbyname2() of libc "
	       "returns, with how long it took: that may be a cache's time, a file's or a name "
	       "server's. Programs that are linked statically or do their own look-ups, as those "
	       "of Go often do, are not seen.\n\n"
	       "Costs a few microseconds a look-up.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.untyped = true,
	.check = check,
	.prepare = probed_prepare,
	.attached = probed_attached,
	.run = run_events,
};

APPLET(gethostlatency);
