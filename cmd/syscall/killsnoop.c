/* killsnoop: signals sent by system calls. sigsnoop: all signals. */
#include <errno.h>
#include <string.h>

#define ROW struct killsnoop_event
#include "applet.h"
#include "killsnoop.h"
#include "signame.h"

static struct killsnoop_conf conf;
static bool by_name;
static bool calls_only, generated = true; /* sigsnoop: -k, or not */

static const char *const calls[] = {
	[KILL] = "kill",
	[TKILL] = "tkill",
	[TGKILL] = "tgkill",
	[RT_SIGQUEUEINFO] = "rt_sigqueueinfo",
	[RT_TGSIGQUEUEINFO] = "rt_tgsigqueueinfo",
	[PIDFD_SEND_SIGNAL] = "pidfd_send_signal",
};

static int parse_signals(const char *arg, void *dst, char why[128])
{
	struct killsnoop_conf *c = dst;
	char name[16];
	size_t n;

	c->any_signals = true;
	for (;; arg += n + 1) {
		int number = -1;

		n = strcspn(arg, ",");
		if (n < sizeof(name)) {
			snprintf(name, sizeof(name), "%.*s", (int)n, arg);
			number = signal_number(name);
		}
		if (number < 0) {
			snprintf(why, 128, "not signals, such as 9 or 15,KILL");
			return -EINVAL;
		}
		if (number == 64)
			c->signal_64 = true;
		else
			c->signals |= 1ull << number;
		if (!arg[n])
			return 0;
	}
}

static void sig_text(struct buf *b, const void *field, const void *row)
{
	(void)row;
	if (by_name)
		buf_signal(b, *(const s32 *)field);
	else
		buf_s64(b, *(const s32 *)field);
}

static const struct opt options[] = {
	OPT('x', "failed", NULL, &conf.failed, "print failed calls only"),
	OPT_PID('p'),
	OPT('T', "tpid", "TPID", &conf.tpid, "trace signals to this process only", .min = 1,
	    .max = PID_LIMIT),
	OPT_PARSED('s', "signal", "LIST", parse_signals, &conf,
		   "trace these signals only, by number or name (9,15 or KILL)"),
	OPT('n', "signal-names", NULL, &by_name, "print signals by name", .also = "name"),
	OPT('k', "kill", NULL, &calls_only, "accepted: only system calls are traced anyway"),
	OPT_UID('u'),
	OPT_EXEC,
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -9, "time of the return", .as = AS_TIME),
	COL(task.pid, "PID", -7, "process ID of the sender"),
	COL_DATA(task.tid, "thread ID of the sender"),
	COL_DATA(task.uid, "user ID of the sender"),
	COL(task.comm, "COMM", -16, "name of the thread that sent it"),
	COL(sig, "SIG", -4, "signal; 0 asks whether one may be sent", .text = sig_text),
	COL(tpid, "TPID", -7,
	    "process ID of the target as it was passed: 0 and negative for groups of processes; "
	    "the thread ID with tkill(2)"),
	COL_DATA(ttid, "thread ID of the target, 0 for calls that name none"),
	COL_DATA(call, "system call", NAMES(calls)),
	COL(result, "RESULT", 0, "0, or a negative error number (errno(3))"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "signals sent by every process" },     { "-x", "those that failed" },
	{ "-p 181", "those that process 181 sent" }, { "-T 189", "those sent to process 189" },
	{ "-s 9,15", "signals 9 and 15 only" },      { 0 },
};

static const struct probe probes[] = {
	{ "signals sent",
	  { RETURNED(kill) RETURNED(tkill) RETURNED(tgkill) RETURNED(rt_sigqueueinfo)
		    RETURNED(rt_tgsigqueueinfo),
	    "enter_kill leave_kill enter_tkill leave_tkill enter_tgkill leave_tgkill "
	    "enter_rt_sigqueueinfo leave_rt_sigqueueinfo enter_rt_tgsigqueueinfo "
	    "leave_rt_tgsigqueueinfo" } },
	{ "signals sent by pidfd",
	  { RETURNED(pidfd_send_signal), "enter_pidfd_send_signal leave_pidfd_send_signal" },
	  "signals sent by pidfd_send_signal(2)" },
	{ 0 },
};

/* enum of include/trace/events/signal.h, TRACE_SIGNAL_* */
static const char *const results[] = { "delivered", "ignored", "pending", "overflow", "lost" };

/* With -k it is what the call returned. */
static void result_name(struct buf *b, const void *field, const void *row)
{
	s32 result = *(const s32 *)field;

	(void)row;
	if (generated && result >= 0 && result < (s32)ARRAY_SIZE(results))
		buf_str(b, results[result]);
	else
		buf_s64(b, result);
}

static const struct opt sig_options[] = {
	OPT('x', "failed", NULL, &conf.failed, "print signals only that were not delivered"),
	OPT('k', "kill", NULL, &calls_only, "trace the system calls that send signals only"),
	OPT('n', "name", NULL, &by_name, "print signals by name"),
	OPT_PID('p'),
	OPT_PARSED('s', "signal", "LIST", parse_signals, &conf,
		   "trace these signals only, by number or name (9,15 or KILL)"),
	OPT('T', "tpid", "TPID", &conf.tpid, "trace signals to this process only", .min = 1,
	    .max = PID_LIMIT),
	OPT_UID('u'),
	OPT_EXEC,
	{ 0 },
};

static const struct column sig_columns[] = {
	COL(task.time, "TIME", -8, "time when it was sent", .as = AS_TIME),
	COL(task.pid, "PID", -7,
	    "process ID of the sender; of signals that an interrupt sends, as timers do, of "
	    "whoever was interrupted"),
	COL_DATA(task.tid, "thread ID of the sender"),
	COL_DATA(task.uid, "user ID of the sender"),
	COL(task.comm, "COMM", -16, "name of the thread that sent it"),
	COL(sig, "SIG", -9, "signal", .text = sig_text),
	COL(tpid, "TPID", -7, "process ID of the target; with -k as it was passed"),
	COL_DATA(ttid, "thread ID of the target"),
	COL(tcomm, "TCOMM", -16, "name of the target; empty with -k", .show = &generated),
	COL(result, "RESULT", 0,
	    "delivered; ignored; pending: one is already; overflow: no room in the queue, not "
	    "delivered; lost: delivered without its information; with -k what the call returned",
	    .name = result_name),
	COL_DATA(code, "si_code of sigaction(2): 0 and below by a process, above by the kernel; 0 "
		       "with -k"),
	{ 0 },
};

static const struct example sig_examples[] = {
	{ "", "all signals" },
	{ "-n", "the same, by name" },
	{ "-k -x", "calls that failed to send a signal" },
	{ "-p 181", "those that process 181 sent" },
	{ "-s 9,15", "signals 9 and 15 only" },
	{ 0 },
};

static const struct probe sig_probes[] = {
	{ "signals", { "generated", "generated_raw" }, .wanted = &generated },
	{ "signals sent",
	  { RETURNED(kill) RETURNED(tkill) RETURNED(tgkill) RETURNED(rt_sigqueueinfo)
		    RETURNED(rt_tgsigqueueinfo),
	    "enter_kill leave_kill enter_tkill leave_tkill enter_tgkill leave_tgkill "
	    "enter_rt_sigqueueinfo leave_rt_sigqueueinfo enter_rt_tgsigqueueinfo "
	    "leave_rt_tgsigqueueinfo" },
	  .wanted = &calls_only },
	{ "signals sent by pidfd",
	  { RETURNED(pidfd_send_signal), "enter_pidfd_send_signal leave_pidfd_send_signal" },
	  "signals sent by pidfd_send_signal(2)",
	  .wanted = &calls_only },
	{ 0 },
};

static void check_sig(void)
{
	generated = !calls_only;
}

static const struct applet sigsnoop = {
	.name = "sigsnoop",
	.summary = "trace signals",
	.doc = "Prints a line for each signal, whether a process sends it or the kernel does "
	       "(SIGCHLD, SIGSEGV, Ctrl-C), and what became of it. A call that fails sends "
	       "none: those are seen with -k, which traces the system calls instead, as "
	       "killsnoop does.\n\n"
	       "Costs next to nothing unless a program makes a habit of signals.",
	.object = "killsnoop",
	.options = sig_options,
	.columns = sig_columns,
	.examples = sig_examples,
	.probes = sig_probes,
	CONF(conf),
	.check = check_sig,
	.run = run_events,
};

static const struct applet killsnoop = {
	.name = "killsnoop",
	.summary = "trace signals sent by system calls",
	.doc = "Traces kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2) and "
	       "pidfd_send_signal(2), those of 32-bit programs too, and prints a line when each "
	       "returns. Signals that the kernel itself sends (SIGCHLD, SIGSEGV, Ctrl-C) are not "
	       "among them.\n\n"
	       "Costs next to nothing: these calls are rare.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.run = run_events,
};

APPLET(killsnoop);
APPLET(sigsnoop);
