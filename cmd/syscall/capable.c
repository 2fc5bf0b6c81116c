#include <linux/version.h>

#define ROW struct capable_event
#include "applet.h"
#include "capable.h"
#include "kernel.h"
#include "stacks.h"

static struct capable_conf conf;
static bool extra;

/* include/uapi/linux/capability.h */
static const char *const names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

static void cap_name(struct buf *b, const void *field, const void *row)
{
	u32 cap = *(const u32 *)field;

	(void)row;
	buf_str(b, cap < ARRAY_SIZE(names) ? names[cap] : "?");
}

static void insetid_text(struct buf *b, const void *field, const void *row)
{
	s32 insetid = *(const s32 *)field;

	(void)row;
	buf_str(b, insetid < 0 ? "N/A" : insetid ? "1" : "0");
}

static void flag_text(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_chr(b, *(const bool *)field ? '1' : '0');
}

static void verdict_text(struct buf *b, const void *field, const void *row)
{
	(void)row;
	buf_str(b, *(const bool *)field ? "allow" : "deny");
}

static const struct opt options[] = {
	OPT('v', "verbose", NULL, &conf.unaudited, "trace checks that are not audited too"),
	OPT_PID('p'),
	OPT('K', "kernel-stack", NULL, &conf.kernel_stack, "print the kernel stack"),
	OPT('U', "user-stack", NULL, &conf.user_stack, "print the user stack"),
	OPT('x', "extra", NULL, &extra, "print the thread ID and whether it is a setid call",
	    .also = "extra-fields"),
	OPT('u', "unique", NULL, &conf.unique,
	    "print a capability once a process (with -K, -U: and stack)"),
	OPT(0, "unique-cgroup", NULL, &conf.by_cgroup, "the same once a control group"),
	OPT(0, "perf-max-stack-depth", "N", &common.stack_depth,
	    "keep this many frames of a stack (default 127)", .min = 1, .max = STACK_DEPTH),
	OPT(0, "stack-storage-size", "N", &common.stack_storage,
	    "accepted: each event brings its stacks, none are stored", .min = 1),
	OPT_FOLDED(0),
	OPT_OFFSET(0),
	OPT_CGROUP('c'),
	OPT_EXEC,
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -9, "time of the check", .as = AS_TIME),
	COL(task.uid, "UID", -6, "user ID"),
	COL(task.pid, "PID", -7, "process ID"),
	COL(task.tid, "TID", -7, "thread ID, with -x", .show = &extra),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(cap, "CAP", -4, "capability"),
	COL(cap, "NAME", -22, "its name (capabilities(7)); ? if it has none that is known",
	    .name = cap_name, .no_data = true),
	COL(audit, "AUDIT", -6, "whether the check is audited", .text = flag_text),
	COL(allowed, "VERDICT", -7, "allow or deny", .text = verdict_text),
	COL(insetid, "INSETID", -7, "whether it is for a setid call, with -x; -1, N/A: not known",
	    .show = &extra, .text = insetid_text),
	COL_STACK(kernel, "KERNEL", AS_KSTACK, &conf.kernel_stack, "kernel frames; with -K"),
	COL_STACK(user, "USER", AS_USTACK, &conf.user_stack, "user frames; with -U"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "checks of capabilities" },
	{ "-v", "those too that are not audited" },
	{ "-p 181", "of process 181" },
	{ "-K", "with kernel stacks" },
	{ "--unique", "each capability once a process" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "checks of capabilities", { "~checked", "enter leave" } },
	{ 0 },
};

static void check(void)
{
	if (common.folded && !conf.user_stack && !conf.kernel_stack)
		opt_error("--folded is about stacks: say which, -U or -K");
	conf.unique |= conf.by_cgroup;
	conf.depth = common.stack_depth ?: STACK_DEPTH;
	conf.options = kernel_release() >= KERNEL_VERSION(5, 1, 0);
}

static const struct applet capable = {
	.name = "capable",
	.summary = "trace checks of capabilities",
	.doc = "Prints a line each time the kernel checks whether a thread has a capability, and "
	       "the verdict: what a program needs to run without all of root's, or why it is "
	       "refused something. Checks that ask without need are not audited, and not shown "
	       "without -v.\n\n"
	       "Costs little: such checks are not frequent.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.run = run_events,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(capable);
