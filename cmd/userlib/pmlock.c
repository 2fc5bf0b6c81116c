/* Two applets over one program: pmlock measures waiting, pmheld holding. */
#include <string.h>

#define ROW struct pmlock_row
#include "applet.h"
#include "object.h"
#include "pmlock.h"
#include "probe/probed.h"
#include "probe/story.h"

#define DEPTH 5 /* frames, unless asked for: enough to tell who locks */

static struct pmlock_conf conf;
static const char *library = "c";

static const struct opt options[] = {
	OPT_PID('p'),
	OPT('l', "library", "LIBRARY", &library,
	    "trace the mutexes of this library: a path, or a name (default c)"),
	OPT_INTERVAL('i'),
	OPT_DURATION('d'),
	OPT_TIMESTAMP('T'),
	OPT_OFFSET('s'),
	OPT_STACKS,
	{ 0 },
};

static const struct column columns[] = {
	COL(key.lock, "LOCK", -18, "address of the mutex", .as = AS_HEX),
	COL(key.pid, "PID", -7, "process ID"),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(key.user, "USER", 0, "user frames, the innermost first", .as = AS_USTACK),
	{ 0 },
};

static const struct story functions[] = {
	{ "pthread_mutex_lock", PMLOCK_LOCK, PMLOCK_LOCKED },
	{ "pthread_mutex_timedlock", PMLOCK_LOCK, PMLOCK_LOCKED },
	{ "pthread_mutex_clocklock", PMLOCK_LOCK, PMLOCK_LOCKED },
#define WAITING 3 /* those before are what pmlock traces */
	{ "pthread_mutex_trylock", PMLOCK_LOCK, PMLOCK_LOCKED },
	{ "pthread_mutex_unlock", PMLOCK_UNLOCK, 0 },
	{ "pthread_cond_wait", PMLOCK_WAIT, PMLOCK_WAITED },
	{ "pthread_cond_timedwait", PMLOCK_WAIT, PMLOCK_WAITED },
	{ "pthread_cond_clockwait", PMLOCK_WAIT, PMLOCK_WAITED },
};

static void check(void)
{
	if (!common.stack_depth && !common.flamegraph && !common.pprof)
		common.stack_depth = DEPTH;
	/* Until glibc 2.34 they are in a library of their own. */
	if (!strcmp(library, "c") && !probed_exists("c:pthread_mutex_timedlock"))
		library = "pthread";
	stories_add(xasprintf("%s:", library), functions,
		    conf.held ? ARRAY_SIZE(functions) : WAITING);
	probed_check();
}

static void check_held(void)
{
	conf.held = true;
	check();
}

static void prepare(struct run *run)
{
	probed_prepare(run);
	stories_tell(conf.kind, ARRAY_SIZE(conf.kind));
	object_set(run->obj, "conf", &conf, sizeof(conf));
}

#define MUTEX_APPLET                                                                               \
	.object = "pmlock", .positionals = ARGS_PID, .options = options, .columns = columns,       \
	CONF(conf), VALUE(hist), .unit = { "nsecs" }, .prepare = prepare,                          \
	.attached = probed_attached, .run = run_hist, .keep_caps = KEEP_SYMBOLS

static const struct example pmlock_examples[] = {
	{ "181", "how long threads of process 181 wait for mutexes, at Ctrl-C" },
	{ "-i 10 -T 181", "every ten seconds, with the time" },
	{ "", "those of all processes that use libc" },
	{ 0 },
};

static const struct applet pmlock = {
	.name = "pmlock",
	.summary = "measure waiting for mutexes of pthreads, by lock and stack",
	.doc = "Measures the time from when a thread asks for a mutex by pthread_mutex_lock(3) or "
	       "with a time limit until it has it, as histograms by lock, user stack and thread "
	       "name. Most get it at once: what is of interest is at the lower end of a histogram. "
	       "The histograms with most time come last.\n\n"
	       "Programs that are linked statically are not seen, nor those that lock otherwise, "
	       "as those in Go or Rust do.\n\n"
	       "Costs several microseconds for each lock, while the lock itself takes nanoseconds.",
	.examples = pmlock_examples,
	.check = check,
	.banner = "Tracing pthread_mutex_lock() latency... Hit Ctrl-C to end.",
	MUTEX_APPLET,
};

APPLET(pmlock);

static const struct example pmheld_examples[] = {
	{ "181", "how long threads of process 181 hold mutexes, at Ctrl-C" },
	{ "-i 10 -T 181", "every ten seconds, with the time" },
	{ "", "those of all processes that use libc" },
	{ 0 },
};

static const struct applet pmheld = {
	.name = "pmheld",
	.summary = "measure how long mutexes of pthreads are held, by lock and stack",
	.doc = "Measures the time from when a thread has a mutex until it gives it back, as "
	       "histograms by lock, user stack of the release, and thread name. The histograms "
	       "with most time come last. While a thread waits for a condition it does not hold "
	       "the mutex: that ends one time and begins another.\n\n"
	       "Programs that are linked statically are not seen, nor those that lock otherwise, "
	       "as those in Go or Rust do.\n\n"
	       "Costs several microseconds for each lock, while the lock itself takes nanoseconds.",
	.examples = pmheld_examples,
	.check = check_held,
	.banner = "Tracing pthread_mutex_lock() held times... Hit Ctrl-C to end.",
	MUTEX_APPLET,
};

APPLET(pmheld);
