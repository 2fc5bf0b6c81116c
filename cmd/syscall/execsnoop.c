#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <linux/version.h>

#include "types.h"

#define EXEC_ARGS_MOST (8 << 20) /* bytes: the kernel takes 6 MB at most */

/* What is printed: the arguments whole, the file's name in place of the 0th. */
struct execsnoop_row;
#define ROW struct execsnoop_row
#include "applet.h"
#include "clock.h"
#include "execsnoop.h"
#include "kernel.h"

struct execsnoop_row {
	struct execsnoop_head head;
	u64 since_ns;
	bool truncated;
	char args[EXEC_ARGS_MOST];
};

static struct execsnoop_conf conf = { .max_args = 20 };
static bool print_time, print_cpu, print_pcomm, quote;
static regex_t name, line;
static bool by_name, by_line;

static int parse_regex(const char *arg, regex_t *re, bool *given, char why[128])
{
	int err = regcomp(re, arg, REG_EXTENDED | REG_NOSUB);

	if (!err) {
		*given = true;
		return 0;
	}
	snprintf(why, 128, "not a regular expression (");
	regerror(err, re, why + strlen(why), 128 - strlen(why));
	why[strnlen(why, 126)] = ')';
	why[strnlen(why, 127)] = '\0';
	return -EINVAL;
}

static int parse_name(const char *arg, void *dst, char why[128])
{
	return parse_regex(arg, dst, &by_name, why);
}

static int parse_line(const char *arg, void *dst, char why[128])
{
	return parse_regex(arg, dst, &by_line, why);
}

static void args_text(struct buf *b, const void *field, const void *row)
{
	const struct execsnoop_row *r = row;
	const char *arg = field, *end = arg + r->head.len;

	for (bool first = true; arg < end; first = false) {
		size_t n = strnlen(arg, end - arg), part;

		if (!first)
			buf_chr(b, ' ');
		if (quote)
			buf_chr(b, '"');
		for (; quote && (part = strcspn(arg, "\"")) < n; arg += part + 1, n -= part + 1) {
			buf_safe(b, arg, part);
			buf_str(b, "\\\"");
		}
		buf_safe(b, arg, n);
		if (quote)
			buf_chr(b, '"');
		arg += n + 1;
	}
	if (r->truncated)
		buf_str(b, " ...");
}

static const struct opt options[] = {
	OPT('T', "time", NULL, &print_time, "print the time of day"),
	OPT('t', "timestamp", NULL, &common.timestamp, "print seconds since tracing began"),
	OPT('x', "fails", NULL, &conf.fails, "print failed calls too"),
	OPT_UID('u'),
	OPT('q', "quote", NULL, &quote, "put quotation marks around each argument"),
	OPT_PARSED('n', "name", "REGEX", parse_name, &name,
		   "print programs only whose name matches this"),
	OPT_PARSED('l', "line", "REGEX", parse_line, &line,
		   "print calls only whose arguments, a space between, match this"),
	OPT_PRINT_UID('U'),
	OPT('C', "print-cpu", NULL, &print_cpu, "print the CPU"),
	OPT('M', "print-pcomm", NULL, &print_pcomm, "print the name of the parent"),
	OPT(0, "max-args", "N", &conf.max_args,
	    "print this many arguments at most (default 20); 0: all of them"),
	OPT_PPID('P'),
	OPT_CGROUP('c'),
	{ 0 },
};

static const struct column columns[] = {
	COL(head.task.time, "TIME", -8, "time of the call's end", .as = AS_TIME,
	    .show = &print_time),
	COL(since_ns, "TIME(s)", -7, "the same, since tracing began", .as = AS_SECS, .digits = 3,
	    .show = &common.timestamp),
	COL(head.task.uid, "UID", -6, "user ID", .show = &common.print_uid),
	COL(head.task.comm, "COMM", -16, "name of the program, or of the caller if it failed"),
	COL(head.task.pid, "PID", -7, "process ID"),
	COL_DATA(head.task.tid, "thread ID"),
	COL(head.pcomm, "PCOMM", -16, "name of the parent", .show = &print_pcomm),
	COL(head.ppid, "PPID", -7, "process ID of the parent"),
	COL(head.cpu, "CPU", 3, "CPU on which it ran", .show = &print_cpu),
	COL(head.ret, "RET", 3, "0, or a negative error number (errno(3))"),
	COL_DATA(truncated, "whether there are more arguments"),
	COL(args, "ARGS", 0, "file that was executed, and the arguments after the 0th",
	    .as = AS_ARGV, .text = args_text),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "new programs" },
	{ "-x", "those too that could not be executed" },
	{ "-T", "with the time of day" },
	{ "-P 181", "those executed by children of process 181" },
	{ "-U", "with the user ID" },
	{ "-u 1000", "those of user 1000" },
	{ "-q", "with quotation marks around arguments" },
	{ "-n main", "those whose name matches 'main'" },
	{ "-l tpkg", "those whose arguments match 'tpkg'" },
	{ "--max-args 0", "with all of their arguments" },
	{ 0 },
};

static const struct probe probes[] = {
	{ "executed programs",
	  { "executed_typed", "executed_raw", "early_execve early_execveat? executed_early" } },
	{ "failed calls",
	  { RETURNED(execve) RETURNED(execveat),
	    "enter_execve leave_execve enter_execveat? leave_execveat?" },
	  .wanted = &conf.fails },
	{ 0 },
};

static void check(void)
{
	conf.loop = kernel_release() >= KERNEL_VERSION(5, 17, 0);
}

/* Text that came ahead of its event. */
struct pieces {
	u32 key, n;
	struct buf text;
	struct execsnoop_head head; /* of the last of them */
};

static struct pieces pending[256];

/* Those of a thread; for a new one, those that have waited for the longest. */
static struct pieces *pieces_of(u32 key, bool add)
{
	static u32 next;
	struct pieces *p;

	for (u32 i = 0; i < ARRAY_SIZE(pending); i++)
		if (pending[i].n && pending[i].key == key)
			return &pending[i];
	if (!add)
		return NULL;
	for (u32 i = 0; i < ARRAY_SIZE(pending); i++)
		if (!pending[i].n)
			return &pending[i];
	p = &pending[next++ % ARRAY_SIZE(pending)];
	p->text.len = 0;
	return p;
}

static void keep(const struct execsnoop_event *e)
{
	struct pieces *p = pieces_of(e->head.key, true);

	if (!e->head.pieces) { /* the first: what is there is of a call that never ended */
		p->text.len = 0;
		p->n = 0;
	}
	p->key = e->head.key;
	p->n++;
	p->head = e->head;
	buf_mem(&p->text, e->text, e->head.len);
}

/* All of the text into `b`; the marks of what is missing into `h`. */
static void join(struct buf *b, struct execsnoop_head *h, const char *text)
{
	struct pieces *p = h->pieces ? pieces_of(h->key, false) : NULL;

	if (h->pieces == PIECES_UNKNOWN && p) {
		h->cut = p->head.cut;
		h->more = p->head.more;
		h->dfd = p->head.dfd;
	} else if (h->pieces != (p ? p->n : 0)) {
		h->cut = true;
	}
	if (p) {
		buf_mem(b, p->text.data, p->text.len);
		buf_free(&p->text);
		*p = (struct pieces){};
	}
	buf_mem(b, text, h->len);
	if (!b->len || b->data[b->len - 1]) /* cut within a string */
		buf_chr(b, '\0');
}

/* The name as the kernel makes it of a descriptor, as of fexecve(3). */
static void add_file(struct buf *b, const struct execsnoop_head *h, const char *file)
{
	if (h->ret && h->dfd >= 0 && *file != '/')
		buf_fmt(b, *file ? "/dev/fd/%d/" : "/dev/fd/%d", h->dfd);
	buf_mem(b, file, strlen(file) + 1);
}

/* After the 0th argument, or where an interpreter runs a script, after the script's name. */
static const char *first_arg(const struct execsnoop_head *h, const char *file, const char *end)
{
	const char *after = file + strlen(file) + 1, *arg = after;

	if (arg < end)
		after = arg += strlen(arg) + 1;
	for (int i = 0; h->script && arg < end && i < 16; i++) {
		bool found = !strcmp(arg, file);

		arg += strlen(arg) + 1;
		if (found)
			return arg;
	}
	return after;
}

static bool matches(const struct execsnoop_head *h, struct buf *args)
{
	char comm[COMM_LEN + 1] = "";
	bool found;

	memcpy(comm, h->task.comm, COMM_LEN);
	if (by_name && regexec(&name, comm, 0, NULL, 0))
		return false;
	if (!by_line)
		return true;

	struct buf text = {};

	buf_mem(&text, args->data, args->len);
	for (size_t i = 0; i + 1 < text.len; i++)
		if (!text.data[i])
			text.data[i] = ' ';
	found = !regexec(&line, text.data, 0, NULL, 0);
	buf_free(&text);
	return found;
}

/* Without the kernel's types: while it is still there. */
static u32 parent_of(u32 pid)
{
	char path[32], *status, *found;
	u32 ppid;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	status = read_file(path, 65536, NULL);
	found = status ? strstr(status, "\nPPid:") : NULL;
	ppid = found ? atoi(found + 6) : 0;
	free(status);
	return ppid;
}

static const void *make_row(struct run *run, const void *event, size_t *size)
{
	static struct buf text, args, out;
	const struct execsnoop_event *e = event;
	size_t head = offsetof(struct execsnoop_row, args);
	struct execsnoop_head h = e->head;
	struct execsnoop_row *row;
	const char *end, *arg;
	u32 n = 1;

	(void)run;
	if (h.piece) {
		keep(e);
		return NULL;
	}
	text.len = args.len = out.len = 0;
	join(&text, &h, e->text);
	end = text.data + text.len;
	add_file(&args, &h, text.data);
	arg = first_arg(&h, text.data, end);
	if (arg < end)
		buf_mem(&args, arg, end - arg);
	if (!matches(&h, &args))
		return NULL;
	end = args.data + args.len;
	for (arg = args.data; arg < end && (!conf.max_args || n <= conf.max_args); n++)
		arg += strlen(arg) + 1;
	if (!h.ppid)
		h.ppid = parent_of(h.task.pid);
	h.len = arg - args.data;
	*size = head + h.len;
	row = (void *)buf_more(&out, *size);
	memset(row, 0, head);
	row->head = h;
	row->since_ns = h.task.time > clock_start ? h.task.time - clock_start : 0;
	row->truncated = h.cut || h.more || arg < end;
	memcpy((char *)row + head, args.data, h.len);
	return row;
}

static const struct applet execsnoop = {
	.name = "execsnoop",
	.summary = "trace new programs with their arguments",
	.doc = "Traces execve(2) and execveat(2), also by fexecve(3), by 32-bit programs, and by "
	       "the "
	       "kernel itself, and prints a line when a program was executed. As the first "
	       "argument "
	       "it prints the file that was named; of a script, that is the script. After more "
	       "than "
	       "--max-args arguments, and where some could not be read, there is '...'.\n\n"
	       "Costs little: executing a program is slow in itself.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	CONF(conf),
	.check = check,
	.event = make_row,
	.run = run_events,
};

APPLET(execsnoop);
