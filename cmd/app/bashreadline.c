#define ROW struct bashreadline_event
#include "applet.h"
#include "bashreadline.h"
#include "probe/probed.h"

static bool shared;
static const char *library;

static const struct opt options[] = {
	OPT('s', "shared", NULL, &shared,
	    "bash uses a shared libreadline: PATH, or else the one that is installed"),
	OPT_PID('p'),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT(0, "path", NULL, &library, "with -s: the library (default /lib/libreadline.so)"),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -9, "time when the line was complete", .as = AS_TIME),
	COL(task.pid, "PID", -7, "process ID of the shell"),
	COL(command, "COMMAND", 0, "the line"),
	COL_DATA(task.uid, "user ID of the shell"),
	COL_DATA(task.comm, "name of the shell's thread"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "lines entered in any bash" },
	{ "-p 181", "in the shell 181" },
	{ "-s", "where bash uses a shared libreadline" },
	{ "-s /opt/lib/libreadline.so.8", "where it is that one" },
	{ 0 },
};

static const char *pattern(void)
{
	if (shared && library)
		return xasprintf("r:%s:readline", library);
	if (shared)
		return probed_exists("r:/lib/libreadline.so:readline")
			       ? "r:/lib/libreadline.so:readline"
			       : "r:readline:readline";
	/* Where readline() was inlined, its last step has the same result. */
	if (probed_exists("r:/bin/bash:readline_internal_teardown"))
		return "r:/bin/bash:readline_internal_teardown";
	return "r:/bin/bash:readline";
}

static void check(void)
{
	if (library && !shared)
		opt_error("%s: a library goes with -s", library);
	probed_add(pattern());
	probed_check();
}

static const struct applet bashreadline = {
	.name = "bashreadline",
	.summary = "trace the lines entered in bash",
	.doc = "Prints each line that is entered in an interactive bash, of any user, whether it "
	       "can be executed or not. What scripts do is not among them. bash itself must have "
	       "the function readline(); where it uses the shared library, say -s.\n\n"
	       "Costs nothing that can be measured: people type slowly.",
	.options = options,
	.positionals = positionals,
	.columns = columns,
	.examples = examples,
	.untyped = true,
	.check = check,
	.prepare = probed_prepare,
	.attached = probed_attached,
	.run = run_events,
};

APPLET(bashreadline);
