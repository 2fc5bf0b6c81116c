#define ROW struct ioprofile_row
#include "applet.h"
#include "ioprofile.h"
#include "stacks.h"
#include "syscalls.h"

static struct ioprofile_conf conf;

static const struct opt options[] = {
	OPT_PID('p'), OPT_TID('t'), OPT_FOLDED('f'), OPT_OFFSET('s'), OPT_STACKS, OPT_UNWIND, { 0 },
};

static void call_name(struct buf *b, const void *field, const void *row)
{
	const struct ioprofile_key *key = &((const struct ioprofile_row *)row)->key;
	const char *name = syscall_name(key->call, key->is_32);

	(void)field;
	buf_str(b, name ?: "[unknown]");
	if (key->is_32)
		buf_str(b, "/32");
}

static const struct column columns[] = {
	COL(key.user, "USER", 0, "user frames, the innermost first", .as = AS_USTACK),
	COL(key.call, "SYSCALL", 0, "name of the call; that of 32-bit programs ends in /32",
	    .name = call_name),
	COL(key.comm, "COMM", 0, "thread name"),
	COL(key.pid, "PID", 0, "process ID"),
	COL(count, "COUNT", 0, "how many calls"),
	{ 0 },
};

/* The call is on top of the stack that makes it. */
static const struct stack_layout layout = {
	.list =
		(const struct stack_part[]){
			{ PART_NAME, "call", .label = "call:" },
			{ PART_USER },
			{ PART_NAME, "comm", .label = "-", .id = "pid" },
			{ 0 },
		},
	.fold =
		(const struct stack_part[]){
			{ PART_NAME, "comm" },
			{ PART_USER },
			{ PART_NAME, "call" },
			{ 0 },
		},
};

static const struct example examples[] = {
	{ "", "where programs do I/O, until Ctrl-C" },
	{ "181", "where process 181 does" },
	{ "-f --duration 10", "ten seconds, for a flame graph" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "entries of system calls", { "enter", "enter_raw" } },
	{ 0 },
};

/* Not by patterns: `read` is in get_thread_area, too. */
static void check(void)
{
	static const char *const calls[] = {
		"read",    "readv",    "pread64",         "preadv",     "preadv2", "write",
		"writev",  "pwrite64", "pwritev",         "pwritev2",   "send",    "sendto",
		"sendmsg", "sendmmsg", "sendfile",        "sendfile64", "recv",    "recvfrom",
		"recvmsg", "recvmmsg", "recvmmsg_time64",
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		for (int is_32 = 0; is_32 < 2; is_32++) {
			int n = syscall_number(calls[i], is_32);

			if (n >= 0 && n < IOPROFILE_CALLS)
				conf.wanted[is_32][n / 64] |= 1ull << n % 64;
		}
}

static const struct applet ioprofile = {
	.name = "ioprofile",
	.summary = "count system calls that do I/O, by user stack",
	.doc = "Counts calls that read, write, send or receive, files, sockets and all else, by "
	       "the user stacks they are made from. What a program does through io_uring or mapped "
	       "memory is no such call.\n\n"
	       "User stacks are walked by frame pointers; those that end early are marked "
	       "[truncated], and counted at the end.\n\n"
	       "Sees every system call, and walks a stack at each that does I/O: a busy server "
	       "feels it.",
	.positionals = ARGS_PID,
	.options = options,
	.columns = columns,
	.examples = examples,
	.layout = &layout,
	.probes = probes,
	CONF(conf),
	.banner = "Tracing I/O by user stack... Hit Ctrl-C to end.",
	.check = check,
	VALUE(count),
	.sort = "count",
	.ascending = true,
	.run = run_stacks,
	.keep_caps = KEEP_SYMBOLS,
};

APPLET(ioprofile);
