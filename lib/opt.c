/*
 * Options from tables: getopt_long() takes the command line apart, and every
 * value is read and refused here, by the type of its destination.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "cgroup.h"
#include "kernel.h"
#include "opt.h"
#include "out.h"
#include "util.h"

#define MAX_OPTIONS   96
#define LONG          256         /* getopt's value of option i is LONG + i, or its letter */
#define EBPF          (LONG - 1)  /* --ebpf, which BCC's tools have and these have not */
#define INITIAL_PIDNS 0xEFFFFFFCu /* PROC_PID_INIT_INO of linux/proc_ns.h */

struct common common;

static bool help, version;

static int parse_size(const char *arg, void *dst, char why[128]);

static const struct opt always[] = {
	OPT(0, "json", NULL, &common.json, "print JSON, one object a line"),
	OPT(0, "csv", NULL, &common.csv, "print comma-separated values"),
	OPT_CGROUP(0),
	OPT(0, "container", "ID", &common.container,
	    "trace this container only, by its name or the start of its ID"),
	OPT_DURATION(0),
	OPT_CGROUPMAP(0),
	OPT_MNTNSMAP(0),
	OPT(0, "btf", "FILE", &common.btf, "read the kernel's types from FILE"),
	OPT_PARSED(0, "buffer", "SIZE", parse_size, &common.buffer,
		   "size of the event buffer, 4K to 1G"),
	OPT('v', "verbose", NULL, &common.verbose, "say what is loaded and attached"),
	OPT('h', "help", NULL, &help, "print this help"),
	OPT('V', "version", NULL, &version, "print the version"),
	{ 0 },
};

#define INTERVAL(more)                                                                             \
	OPT(0, "interval", NULL, &common.interval, "seconds between reports" more, .min = 1)
#define COUNT                                                                                      \
	OPT(0, "count", NULL, &common.count, "number of reports (default: until Ctrl-C)", .min = 1)

const struct opt args_interval_count[] = { INTERVAL(" (default: one, at the end)"), COUNT, { 0 } };
const struct opt args_every_second[] = { INTERVAL(" (default 1)"), COUNT, { 0 } };
const struct opt args_every_5_seconds[] = { INTERVAL(" (default 5)"), COUNT, { 0 } };

const struct opt args_duration[] = {
	OPT(0, "duration", NULL, &common.duration, "seconds to trace for", .min = 1),
	{ 0 },
};

static int parse_pid(const char *arg, void *dst, char why[128]);

const struct opt args_pid[] = {
	OPT_PARSED(0, "pid", NULL, parse_pid, &common.filter.pids,
		   "trace this process only; 0 is all of them"),
	{ 0 },
};

/* The options of one applet, its own before the others. */
struct options {
	const struct opt *opt[MAX_OPTIONS];
	int n, own;
	struct opt shared[ARRAY_SIZE(always)]; /* those whose letter is the applet's own */
};

static struct options options;

static const struct opt *find(const struct options *set, const char *name)
{
	for (int i = 0; i < set->n; i++)
		if (!strcmp(set->opt[i]->name, name))
			return set->opt[i];
	return NULL;
}

/* `also` is a letter if it is one character long. */
static char other_letter(const struct opt *o)
{
	return o->also && !o->also[1] ? *o->also : 0;
}

static bool has_letter(const struct opt *o, int letter)
{
	return o->letter == letter || other_letter(o) == letter;
}

static bool letter_taken(const struct options *set, int letter)
{
	for (int i = 0; i < set->n; i++)
		if (has_letter(set->opt[i], letter))
			return true;
	return false;
}

static void gather(struct options *set, const struct applet *a)
{
	*set = (struct options){};
	for (const struct opt *o = a->options; o && o->name; o++) {
		if (set->n == MAX_OPTIONS - (int)ARRAY_SIZE(always))
			die("more than %d options", set->n);
		set->opt[set->n++] = o;
	}
	set->own = set->n;
	for (const struct opt *o = always; o->name; o++) {
		struct opt *own = &set->shared[o - always];

		if (find(set, o->name))
			continue;
		*own = *o;
		if (o->letter && letter_taken(set, o->letter))
			own->letter = 0;
		set->opt[set->n++] = own;
	}
}

void opt_each(const struct applet *a, void (*each)(const struct opt *o, bool own, void *ctx),
	      void *ctx)
{
	struct options set;

	gather(&set, a);
	for (int i = 0; i < set.n; i++)
		each(set.opt[i], i < set.own, ctx);
}

char *opt_text(const struct opt *o)
{
	if (!o->also)
		return xasprintf("%s", o->help ?: "");
	return xasprintf("%s (also %s%s)", o->help, other_letter(o) ? "-" : "--", o->also);
}

void opt_error(const char *fmt, ...)
{
	struct buf b = {};
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	warn("%.*s", (int)b.len, b.data);
	fprintf(stderr, "Try 'bcctool %s --help'.\n", progname);
	exit(2);
}

/* "--pid" or, of a positional, "interval": what messages call it. */
static char *label(const struct opt *o, bool positional)
{
	return xasprintf("%s%s", positional ? "" : "--", o->name);
}

/* As parse_u64(), but "010" is ten: nobody types a pid in octal. */
static bool number(const char *s, u64 min, u64 max, u64 *v)
{
	while (*s == '0' && s[1] >= '0' && s[1] <= '9')
		s++;
	return parse_u64(s, max, v) && *v >= min;
}

static u64 checked(const char *what, const char *arg, u64 min, u64 max)
{
	u64 v = 0;

	if (!number(arg, min, max, &v))
		opt_error("%s: not a number from %llu to %llu: %s", what, min, max,
			  *arg ? arg : "''");
	return v;
}

/* Bytes, or K, M and G of 1024. */
static int parse_size(const char *arg, void *dst, char why[128])
{
	static const char units[] = "KMG";
	size_t len = strlen(arg);
	const char *unit = len ? strchr(units, arg[len - 1] & ~0x20) : NULL;
	int shift = unit && *unit ? 10 * (unit - units + 1) : 0;
	char digits[24] = "";
	u64 v = 0;

	if (len < sizeof(digits))
		memcpy(digits, arg, len - !!shift);
	if (!number(digits, 1, (1ull << 30) >> shift, &v) || v << shift < 4096) {
		snprintf(why, 128, "not a size from 4K to 1G");
		return -EINVAL;
	}
	*(u64 *)dst = v << shift;
	return 0;
}

/* The kernel wants a power of two. */
static void round_buffer(void)
{
	u64 size = 4096;

	while (size < common.buffer)
		size *= 2;
	if (common.buffer)
		common.buffer = size;
}

static void add_id(struct bcc_ids *ids, u32 id, const char *what)
{
	for (u32 i = 0; i < ids->n; i++)
		if (ids->id[i] == id)
			return;
	if (ids->n == FILTER_IDS)
		opt_error("%s: more than %d", what, FILTER_IDS);
	ids->id[ids->n++] = id;
}

static int parse_pid(const char *arg, void *dst, char why[128])
{
	u64 pid;

	if (!number(arg, 0, PID_LIMIT, &pid)) {
		snprintf(why, 128, "not a process ID");
		return -EINVAL;
	}
	if (pid)
		add_id(dst, pid, "pid");
	return 0;
}

static void parse_ids(const struct opt *o, const char *what, const char *arg)
{
	char *list = xasprintf("%s", arg);

	for (char *next = list, *item; (item = strsep(&next, ","));)
		add_id(o->dst, checked(what, *item ? item : arg, o->min ?: 1, o->max ?: PID_LIMIT),
		       what);
	free(list);
}

/* By hand: getpwnam() of a static glibc wants the shared libraries of its NSS at run time. */
static bool user_by_name(const char *name, u64 *uid)
{
	char *data = read_file("/etc/passwd", 64 << 20, NULL), *next = data, *line;
	bool found = false;

	while (data && !found && (line = strsep(&next, "\n"))) {
		char *user = strsep(&line, ":"), *id;

		strsep(&line, ":");
		id = strsep(&line, ":");
		found = id && *user && !strcmp(user, name) && number(id, 0, UINT_MAX - 1, uid);
	}
	free(data);
	return found;
}

static u32 parse_user(const char *what, const char *arg)
{
	u64 uid;

	if (!*arg || (*arg >= '0' && *arg <= '9') || *arg == '-')
		return checked(what, arg, 0, UINT_MAX - 1);
	if (!user_by_name(arg, &uid))
		opt_error("%s: no such user in /etc/passwd: %s", what, arg);
	return uid;
}

static u64 most(enum opt_type type)
{
	return type == OPT_INT ? INT_MAX : type == OPT_U32 ? UINT_MAX : ~0ull;
}

static u64 parse_number(const struct opt *o, const char *what, const char *arg)
{
	u64 scale = o->scale ?: 1, max = most(o->type) / scale;

	if (o->max && o->max < max)
		max = o->max;
	return checked(what, arg, o->min, max) * scale;
}

static u32 parse_word(const struct opt *o, const char *what, const char *arg)
{
	struct buf all = {};

	for (u32 i = 0; o->words[i]; i++) {
		if (!strcmp(o->words[i], arg))
			return i;
		buf_fmt(&all, "%s%s", i ? ", " : "", o->words[i]);
	}
	opt_error("%s: not one of %.*s: %s", what, (int)all.len, all.data, arg);
}

static void store(const struct opt *o, const char *arg, bool positional)
{
	char *what = label(o, positional), why[128] = "";

	if (o->parse) {
		if (o->parse(arg, o->dst, why))
			opt_error("%s: %s: %s", what, *why ? why : "not understood", arg);
		free(what);
		return;
	}
	switch (o->type) {
	case OPT_FLAG:
		if (o->again && *(bool *)o->dst)
			*o->again = true;
		*(bool *)o->dst = true;
		break;
	case OPT_INT: *(int *)o->dst = parse_number(o, what, arg); break;
	case OPT_U32: *(u32 *)o->dst = parse_number(o, what, arg); break;
	case OPT_U64: *(u64 *)o->dst = parse_number(o, what, arg); break;
	case OPT_STR: *(const char **)o->dst = arg; break;
	case OPT_WORD: *(u32 *)o->dst = parse_word(o, what, arg); break;
	case OPT_IDS: parse_ids(o, what, arg); break;
	case OPT_USER: *(u32 *)o->dst = parse_user(what, arg) + 1; break;
	case OPT_CMD: break;
	}
	free(what);
}

/* The command is a copy: getopt_long() still moves the words of argv about. */
static void store_command(const struct opt *o, char *first, char **rest, int n)
{
	char **command = xcalloc(n + 2, sizeof(*command));

	command[0] = first;
	memcpy(command + 1, rest, n * sizeof(*rest));
	*(char ***)o->dst = command;
}

/* The names with hyphens are taken with underscores too, and the other way round. */
static struct option *add_name(struct option *longs, const char *name, struct option l)
{
	char from = strchr(name, '_') ? '_' : '-', *other;

	l.name = name;
	*longs++ = l;
	if (!strchr(name, from))
		return longs;
	l.name = other = xasprintf("%s", name);
	for (char *p = other; *p; p++)
		*p = *p == from ? '-' ^ '_' ^ from : *p;
	*longs++ = l;
	return longs;
}

/* getopt_long()'s form of the options. */
static void getopt_tables(const struct options *set, struct option *longs, struct buf *letters)
{
	for (int i = 0; i < set->n; i++) {
		const struct opt *o = set->opt[i];
		struct option l = { .has_arg = o->type != OPT_FLAG, .val = LONG + i };
		const char *colon = l.has_arg ? ":" : "";

		longs = add_name(longs, o->name, l);
		if (other_letter(o))
			buf_fmt(letters, "%c%s", *o->also, colon);
		else if (o->also)
			longs = add_name(longs, o->also, l);
		if (o->letter)
			buf_fmt(letters, "%c%s", o->letter, colon);
	}
	*longs = (struct option){ "ebpf", .val = EBPF };
	buf_chr(letters, '\0');
}

static const struct opt *chosen(const struct options *set, int c)
{
	if (c >= LONG)
		return set->opt[c - LONG];
	for (int i = 0; i < set->n; i++)
		if (has_letter(set->opt[i], c))
			return set->opt[i];
	return NULL;
}

/* --help and --version end the program at once, whatever is wrong with the rest of the line. */
static void help_or_version(const struct applet *a)
{
	if (!help && !version)
		return;
	if (help)
		opt_help(&out, a);
	else
		buf_fmt(&out, "%s (bcctool %s)\n", a->name, BCCTOOL_VERSION);
	out_flush();
	exit(0);
}

static void parse_options(const struct applet *a, int argc, char **argv)
{
	static struct option longs[4 * MAX_OPTIONS + 2]; /* kept: it owns the names */
	struct buf letters = {};
	int c;

	getopt_tables(&options, longs, &letters);
	optind = 0; /* begin anew */
	while ((c = getopt_long(argc, argv, letters.data, longs, NULL)) != -1) {
		const struct opt *o;

		if (c == EBPF)
			opt_error("--ebpf: there is no C source at run time, programs were "
				  "compiled with bcctool: --verbose says which are loaded");
		o = chosen(&options, c);
		if (!o) { /* '?': getopt_long() has said what is wrong */
			fprintf(stderr, "Try 'bcctool %s --help'.\n", progname);
			exit(2);
		}
		if (o->type == OPT_CMD) {
			store_command(o, optarg, argv + optind, argc - optind);
			optind = argc;
		} else {
			store(o, optarg, false);
		}
		help_or_version(a);
	}
	buf_free(&letters);
	for (const struct opt *o = a->options; o && o->name; o++)
		if (o->needed && !*(const char **)o->dst)
			opt_error("--%s %s is needed", o->name, o->arg);
}

static void parse_positionals(const struct applet *a, int argc, char **argv)
{
	const struct opt *o = a->positionals;

	for (int i = 0; i < argc; i++) {
		if (!o || !o->name)
			opt_error("too many arguments: %s", argv[i]);
		if (o->type == OPT_CMD) {
			store_command(o, argv[i], argv + i + 1, argc - i - 1);
			return;
		}
		store(o, argv[i], true);
		if (!o->many || i == argc - 1)
			o++;
	}
	if (o && o->name && o->needed)
		opt_error("%s is missing", o->name);
}

/* How the applet calls the option that sets `dst`. */
static const char *name_of(const void *dst)
{
	for (int i = 0; i < options.n; i++)
		if (options.opt[i]->dst == dst)
			return options.opt[i]->name;
	return "name";
}

static void set_comm(void)
{
	size_t len = common.comm ? strlen(common.comm) : 0;

	if (!common.comm)
		return;
	if (!len || len >= COMM_LEN)
		opt_error("--%s: not a name of 1 to %d characters: %s", name_of(&common.comm),
			  COMM_LEN - 1, len ? common.comm : "''");
	memcpy(common.filter.comm, common.comm, len + 1);
	common.filter.comm_len = len;
}

/* A process that `id` is only a thread of; 0 if it is one itself, or if /proc does not say. */
static u32 leader(u32 id)
{
	char path[64], *status, *line;
	u32 tgid = 0;

	snprintf(path, sizeof(path), "/proc/%u/status", id);
	status = read_file(path, 1 << 20, NULL);
	line = status ? strstr(status, "\nTgid:") : NULL;
	if (line)
		tgid = strtoul(line + 6, NULL, 10);
	free(status);
	return tgid == id ? 0 : tgid;
}

/* Asks the kernel, not /proc, which may be hidden (hidepid=) or not there at all. */
static void must_exist(u32 id, bool thread)
{
	u32 of;

	if (kill(id, 0) && errno == ESRCH)
		die("no such %s: %u", thread ? "thread" : "process", id);
	of = thread ? 0 : leader(id);
	if (of)
		die("no such process: %u (it is a thread of process %u)", id, of);
}

static void set_processes(struct bcc_filter *f)
{
	u32 ns;

	for (u32 i = 0; i < f->pids.n; i++)
		must_exist(f->pids.id[i], false);
	for (u32 i = 0; i < f->tids.n; i++)
		must_exist(f->tids.id[i], true);
	if (f->ppid)
		must_exist(f->ppid, false);
	if (!own_namespace("pid", &ns)) {
		if (f->pids.n || f->tids.n || f->ppid)
			die("cannot tell which PID namespace this is, whose IDs are meant: no "
			    "/proc");
	} else if (ns != INITIAL_PIDNS) {
		f->pidns = ns;
	}
}

static void set_cgroup(struct bcc_filter *f)
{
	char why[CGROUP_WHY] = "";

	if (common.cgroup && common.container)
		opt_error("--cgroup and --container exclude each other");
	if ((common.cgroup || common.container) &&
	    cgroup_resolve(common.cgroup, common.container, f, why))
		die("--%s: %s", common.cgroup ? "cgroup" : "container", why);
}

static bool is_particular(const struct bcc_filter *f)
{
	return f->pids.n || f->tids.n || f->uid_plus_1 || f->ppid || f->cgroup || f->comm_len ||
	       f->cgroupmap || f->mntnsmap;
}

void opt_parse(const struct applet *a, int argc, char **argv)
{
	gather(&options, a);
	if (argc)
		argv[0] = (char *)progname; /* getopt_long() begins its messages with it */
	parse_options(a, argc, argv);
	parse_positionals(a, argc - optind, argv + optind);

	if (common.json && common.csv)
		opt_error("--json and --csv exclude each other");
	out_mode = common.json ? OUT_JSON : common.csv ? OUT_CSV : OUT_TEXT;
	round_buffer();
	set_comm();
	if (a->check)
		a->check(); /* all that the words alone can tell comes before what the host can */
	set_processes(&common.filter);
	set_cgroup(&common.filter);
	common.filter.cgroupmap = common.cgroupmap;
	common.filter.mntnsmap = common.mntnsmap;
	common.filter.particular = is_particular(&common.filter);
}
