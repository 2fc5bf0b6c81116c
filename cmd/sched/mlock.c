/* Two applets over one program: mlock measures waiting, mheld holding. */
#include <string.h>

#define ROW struct mlock_row
#include "applet.h"
#include "kdata.h"
#include "klock.h"
#include "mlock.h"

static struct mlock_conf conf;

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_INTERVAL('i'),
	OPT_DURATION('d'),
	OPT_TIMESTAMP('T'),
	OPT_OFFSET('s'),
	OPT_STACKS,
	{ 0 },
};

static void lock_name(struct buf *b, const void *field, const void *row)
{
	u64 lock;

	(void)row;
	memcpy(&lock, field, sizeof(lock));
	kdata_name(b, lock);
}

static const struct column columns[] = {
	COL(key.lock, "LOCK", -24, "the lock: its variable, or its address if it is allocated",
	    .name = lock_name),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(key.kernel, "KERNEL", 0, "kernel frames, the innermost first", .as = AS_KSTACK),
	{ 0 },
};

static const struct probe probes[] = {
	KLOCK_PROBE_MUTEXES,
	{ 0 },
};

#define MUTEX_APPLET                                                                               \
	.object = "mlock", .positionals = ARGS_PID, .options = options, .columns = columns,        \
	.probes = probes, CONF(conf), VALUE(hist), .unit = { "nsecs" }, .run = run_hist,           \
	.keep_caps = KEEP_SYMBOLS

static const struct example mlock_examples[] = {
	{ "", "how long threads wait for mutexes, at Ctrl-C" },
	{ "181", "those of process 181" },
	{ "-i 10 -T", "every ten seconds, with the time" },
	{ 0 },
};

static const struct applet mlock = {
	.name = "mlock",
	.summary = "measure waiting for kernel mutexes, by lock and stack",
	.doc = "Measures the time from when a thread asks the kernel for a mutex until it has it, "
	       "as histograms by lock, kernel stack and thread name. Most get it at once: what is "
	       "of "
	       "interest is at the lower end of a histogram. The histograms with most time come "
	       "last.\n\n"
	       "Traces every mutex that is taken, of which there may be a million a second: -p "
	       "makes it less.",
	.examples = mlock_examples,
	.banner = "Tracing mutex_lock() latency... Hit Ctrl-C to end.",
	MUTEX_APPLET,
};

APPLET(mlock);

static const struct example mheld_examples[] = {
	{ "", "how long mutexes are held, at Ctrl-C" },
	{ "181", "by process 181" },
	{ "-i 10 -T", "every ten seconds, with the time" },
	{ 0 },
};

static void check_held(void)
{
	conf.held = true;
}

static const struct applet mheld = {
	.name = "mheld",
	.summary = "measure how long kernel mutexes are held, by lock and stack",
	.doc = "Measures the time from when a thread has a mutex of the kernel until it gives it "
	       "back, as histograms by lock, kernel stack of the release, and thread name. The "
	       "histograms with most time come last.\n\n"
	       "Traces every mutex that is taken, of which there may be a million a second: -p "
	       "makes it less.",
	.examples = mheld_examples,
	.check = check_held,
	.banner = "Tracing mutex_lock() held times... Hit Ctrl-C to end.",
	MUTEX_APPLET,
};

APPLET(mheld);
